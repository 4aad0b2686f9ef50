import type ts from "typescript";
import type { Compiler } from "./compiler";

/**
 * The names that a cell imports from the user's modules whose values those may change: `export let count`.
 * @param cell bound and checked
 */
export function liveImports(compiler: Compiler, checker: ts.TypeChecker, cell: ts.SourceFile): Set<string> {
  const live = new Set<string>();
  const look = (name: ts.Identifier) => {
    const symbol = checker.getSymbolAtLocation(name);
    if (!symbol || !(symbol.flags & compiler.SymbolFlags.Alias)) return;
    const declaration = checker.getAliasedSymbol(symbol).valueDeclaration;
    if (!declaration || !compiler.isVariableDeclaration(declaration)) return;
    const isConstant = (compiler.getCombinedNodeFlags(declaration) & compiler.NodeFlags.Constant) !== 0;
    if (!isConstant && !declaration.getSourceFile().isDeclarationFile) live.add(name.text);
  };
  for (const statement of cell.statements) {
    if (!compiler.isImportDeclaration(statement) || !statement.importClause) continue;
    const { name, namedBindings } = statement.importClause;
    if (name) look(name);
    if (namedBindings && compiler.isNamedImports(namedBindings))
      for (const each of namedBindings.elements) look(each.name);
  }
  return live;
}
