import type ts from "typescript";
import type { Compiler } from "./compiler";

/** What the name at a place is, as TypeScript's language service puts it: that one would make a program of its own for it. */
export function quickInfo(
  compiler: Compiler,
  checker: ts.TypeChecker,
  file: ts.SourceFile,
  position: number,
): ts.QuickInfo | undefined {
  const touched = compiler.getTouchingPropertyName(file, position);
  if (touched === file) return undefined;
  const node = meant(compiler, touched);
  const symbol = symbolAt(compiler, checker, node);
  const textSpan = compiler.createTextSpanFromNode(node, file);
  const within = compiler.getContainerNode(node);
  if (!symbol || isUnknown(checker, symbol)) {
    if (!hasType(compiler, node)) return undefined;
    const type = checker.getTypeAtLocation(node);
    return {
      kind: compiler.ScriptElementKind.unknown,
      kindModifiers: "",
      textSpan,
      displayParts: compiler.typeToDisplayParts(checker, type, within),
      documentation: type.symbol?.getDocumentationComment(checker),
      tags: type.symbol?.getJsDocTags(checker),
    };
  }
  const { symbolKind, displayParts, documentation, tags } =
    compiler.SymbolDisplay.getSymbolDisplayPartsDocumentationAndSymbolKind(checker, symbol, file, within, node);
  const kindModifiers = compiler.SymbolDisplay.getSymbolModifiers(checker, symbol);
  const named = documentation?.length || tags?.length ? undefined : namedByType(compiler, checker, symbol, node);
  return {
    kind: symbolKind,
    kindModifiers,
    textSpan,
    displayParts,
    documentation: named?.getDocumentationComment(checker) ?? documentation,
    tags: named?.getJsDocTags(checker) ?? tags,
  };
}

/** What `const PCA: typeof ml.PCA` stands for, as the names that every notebook has are declared. */
function namedByType(
  compiler: Compiler,
  checker: ts.TypeChecker,
  symbol: ts.Symbol,
  node: ts.Node,
): ts.Symbol | undefined {
  const declaration = symbol.valueDeclaration;
  const type = declaration && compiler.isVariableDeclaration(declaration) ? declaration.type : undefined;
  return type && compiler.isTypeQueryNode(type) ? checker.getTypeOfSymbolAtLocation(symbol, node).symbol : undefined;
}

/** `new` is about the class, `import.meta` is one name. */
function meant(compiler: Compiler, node: ts.Node): ts.Node {
  const { parent } = node;
  if (compiler.isNewExpression(parent) && node.pos === parent.pos) return parent.expression;
  if (compiler.isNamedTupleMember(parent) && node.pos === parent.pos) return parent;
  if (compiler.isMetaProperty(parent) && parent.name === node) return parent;
  return node;
}

/** A property of an object literal is the one that is expected there. */
function symbolAt(compiler: Compiler, checker: ts.TypeChecker, node: ts.Node): ts.Symbol | undefined {
  const element = compiler.getContainingObjectLiteralElement(node);
  const parent = element?.parent as ts.ObjectLiteralExpression | undefined;
  const expected = parent && compiler.isObjectLiteralExpression(parent) && checker.getContextualType(parent);
  const name = element?.name && compiler.isMemberName(element.name) ? element.name.text : undefined;
  const property = expected && name !== undefined ? expected.getProperty(name) : undefined;
  return property ?? checker.getSymbolAtLocation(node);
}

function isUnknown(checker: ts.TypeChecker, symbol: ts.Symbol): boolean {
  return (checker as unknown as { isUnknownSymbol(symbol: ts.Symbol): boolean }).isUnknownSymbol(symbol);
}

function hasType(compiler: Compiler, node: ts.Node): boolean {
  const { Identifier, PropertyAccessExpression, QualifiedName, ThisKeyword, ThisType, SuperKeyword } =
    compiler.SyntaxKind;
  const { NamedTupleMember, MetaProperty } = compiler.SyntaxKind;
  const kinds = [
    PropertyAccessExpression,
    QualifiedName,
    ThisKeyword,
    ThisType,
    SuperKeyword,
    NamedTupleMember,
    MetaProperty,
  ];
  if (node.kind === Identifier)
    return !compiler.isLabeledStatement(node.parent) && !compiler.isBreakOrContinueStatement(node.parent);
  return (kinds as ts.SyntaxKind[]).includes(node.kind);
}
