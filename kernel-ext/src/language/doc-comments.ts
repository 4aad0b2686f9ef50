import type ts from "typescript";
import type { Compiler } from "./compiler";

/** A third of what a library's declarations cost to read are their comments, which are parsed where someone asks for them. */
export const WITHOUT_COMMENTS: ts.JSDocParsingMode.ParseNone = 1;

type Asked = Pick<ts.Symbol, "declarations"> & Pick<ts.Signature, "declaration">;

/** What TypeScript asks for documentation, on names and on signatures; for a name that inherits its text it asks the other's. */
const METHODS = [
  "getDocumentationComment",
  "getContextualDocumentationComment",
  "getJsDocTags",
  "getContextualJsDocTags",
];

/** Has the compiler parse the doc comments of a name, whose file it read {@link WITHOUT_COMMENTS}, when it is asked for them. */
export function parseCommentsWhenAsked(compiler: Compiler): void {
  const { objectAllocator } = compiler;
  for (const { prototype } of [objectAllocator.getSymbolConstructor(), objectAllocator.getSignatureConstructor()]) {
    for (const name of METHODS) {
      const method = prototype[name];
      if (!method) continue;
      prototype[name] = function (this: Asked, ...args) {
        for (const declaration of this.declarations ?? [this.declaration]) parseComments(compiler, declaration);
        return method.apply(this, args);
      };
    }
  }
}

/** Those of a declaration may stand before what it is a part of, such as a parameter's, or at its value. */
function parseComments(compiler: Compiler, declaration: ts.Node | undefined): void {
  parseCommentsOf(compiler, (declaration as { initializer?: ts.Node } | undefined)?.initializer);
  for (let node = declaration; node && !compiler.isSourceFile(node); node = node.parent)
    parseCommentsOf(compiler, node);
}

function parseCommentsOf(compiler: Compiler, node: (ts.Node & { jsDoc?: readonly ts.JSDoc[] }) | undefined): void {
  // What transforms make stands in no file.
  const file = node && node.pos >= 0 ? compiler.getSourceFileOfNode(node) : undefined;
  if (!node || !file || node.jsDoc || !compiler.canHaveJSDoc(node)) return;
  node.jsDoc = (compiler.getJSDocCommentRanges(node, file.text) ?? []).flatMap(({ pos, end }) => {
    const jsDoc = compiler.parseIsolatedJSDocComment(file.text, pos, end - pos)?.jsDoc;
    if (!jsDoc) return [];
    compiler.setParent(jsDoc, node);
    return [jsDoc];
  });
}
