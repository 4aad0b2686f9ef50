import type ts from "typescript";
import type { Compiler } from "./compiler";

/**
 * The namespaces, `declare global` and `declare module` of earlier cells, which tslab forgets after the next cell.
 * @param declarations what earlier cells declare
 * @param cell the cell that follows them, bound
 * @param own what that cell declares
 * @returns the text of those that it does not declare anew
 */
export function remainingNamespaces(
  compiler: Compiler,
  declarations: string,
  cell: ts.SourceFile,
  own: string,
): string {
  if (!/\b(namespace|module|global)\b/.test(declarations)) return "";
  const file = compiler.createSourceFile("previous.d.ts", declarations, compiler.ScriptTarget.Latest, true);
  const declared = compiler.localsOf(cell);
  const texts = file.statements.flatMap((statement) => {
    if (!compiler.isModuleDeclaration(statement)) return [];
    const { name } = statement;
    const isAnew = compiler.isIdentifier(name) && declared?.has(name.escapedText) === true;
    return isAnew || own.includes(statement.getText(file)) ? [] : [statement.getFullText(file).trim()];
  });
  return texts.map((text) => `${text}\n`).join("");
}
