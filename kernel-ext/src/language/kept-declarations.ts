import type ts from "typescript";
import type { Compiler } from "./compiler";

/**
 * What is declared after a cell that failed before it came to some of its names: those have the values of before, and so the
 * types.
 * @param declarations what the cell and those before it declare
 * @param before what those before it declare
 * @param names that the cell declares and that have the values of before
 */
export function keptDeclarations(
  compiler: Compiler,
  declarations: string,
  before: string,
  names: ReadonlySet<string>,
): string {
  if (names.size === 0) return declarations;
  const [anew, old] = [declarations, before].map((text) => parts(compiler, text)) as [Part[], Part[]];
  const known = new Set(old.flatMap(({ name }) => name ?? []));
  const isKept = ({ name }: Part) => name !== undefined && names.has(name) && known.has(name);
  const kept = [...anew.filter((part) => !isKept(part)), ...old.filter(isKept)];
  return kept.map(({ text }) => `${text}\n`).join("");
}

/** One declared name, or a statement that is kept as it is. */
interface Part {
  readonly name: string | undefined;
  readonly text: string;
}

function parts(compiler: Compiler, declarations: string): Part[] {
  const file = compiler.createSourceFile("previous.d.ts", declarations, compiler.ScriptTarget.Latest, true);
  return file.statements.flatMap((statement): Part[] => {
    const text = statement.getFullText(file).trim();
    if (compiler.isVariableStatement(statement)) {
      const { declarations: all } = statement.declarationList;
      const [first] = all;
      const head = file.text.slice(statement.getStart(file), first?.getStart(file));
      return all.map((each) => ({ name: each.name.getText(file), text: `${head}${each.getText(file)};` }));
    }
    if (compiler.isImportDeclaration(statement)) return imports(statement, text);
    const isValue =
      compiler.isFunctionDeclaration(statement) ||
      compiler.isClassDeclaration(statement) ||
      compiler.isEnumDeclaration(statement) ||
      (compiler.isModuleDeclaration(statement) && compiler.isIdentifier(statement.name));
    return [{ name: isValue ? (statement.name as ts.Identifier | undefined)?.text : undefined, text }];
  });

  function imports({ importClause, moduleSpecifier }: ts.ImportDeclaration, text: string): Part[] {
    if (!importClause) return [{ name: undefined, text }];
    const from = moduleSpecifier.getText(file);
    const { name, namedBindings, isTypeOnly } = importClause;
    const head = isTypeOnly ? "import type" : "import";
    const made: Part[] = name ? [{ name: name.text, text: `${head} ${name.text} from ${from};` }] : [];
    if (!namedBindings) return made;
    if (compiler.isNamespaceImport(namedBindings)) {
      return [...made, { name: namedBindings.name.text, text: `${head} ${namedBindings.getText(file)} from ${from};` }];
    }
    const each = namedBindings.elements.map((element) => ({
      name: element.name.text,
      text: `${head} { ${element.getText(file)} } from ${from};`,
    }));
    return [...made, ...each];
  }
}
