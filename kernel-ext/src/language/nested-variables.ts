import type ts from "typescript";
import type { Compiler } from "./compiler";

/**
 * Declares the variables that a cell declares by `var` within blocks and heads of loops, which are its top's; TypeScript's
 * declarations of a module leave them out.
 * @param cell bound and checked
 */
export function nestedVariables(compiler: Compiler, checker: ts.TypeChecker, cell: ts.SourceFile): string {
  const { NoTruncation, UseStructuralFallback, WriteClassExpressionAsTypeLiteral, UseTypeOfFunction } =
    compiler.TypeFormatFlags;
  const flags = NoTruncation | UseStructuralFallback | WriteClassExpressionAsTypeLiteral | UseTypeOfFunction;
  const texts = [...(compiler.localsOf(cell)?.values() ?? [])].flatMap((symbol) => {
    if (!symbol.declarations?.length || !symbol.declarations.every(isNested)) return [];
    const type = checker.getTypeOfSymbolAtLocation(symbol, cell);
    return [`declare var ${symbol.name}: ${checker.typeToString(type, cell, flags)};\n`];
  });
  return texts.join("");

  function isNested(declaration: ts.Declaration): boolean {
    let node: ts.Node = declaration;
    while (compiler.isBindingElement(node) || compiler.isBindingName(node)) node = node.parent;
    if (!compiler.isVariableDeclaration(node)) return false;
    const list = node.parent;
    return !compiler.isVariableStatement(list.parent) || list.parent.parent !== cell;
  }
}
