import type ts from "typescript";
import type { Content } from "../messages";
import { parseCell } from "./cell-source";
import type { Cells } from "./cells";
import { compiler } from "./compiler";
import { magicHelp, typescriptOf } from "./magic-cells";
import { printQuickInfo, SOURCE_PREFIX } from "./tslab-converter";

/**
 * The content of an `inspect_reply`.
 * @param position UTF-16 offset of the cursor
 * @see https://jupyter-client.readthedocs.io/en/stable/messaging.html#introspection
 */
export function inspectReply(cells: Cells, source: string, position: number): Content {
  const data = magicHelp(source, position) ?? typescriptHelp(cells, source, position);
  return { status: "ok", found: data !== undefined, data: data ?? {}, metadata: {} };
}

function typescriptHelp(cells: Cells, source: string, position: number): Record<string, string> | undefined {
  const code = typescriptOf(source);
  if (code === undefined) return undefined;
  const named = cells.inspect(code, position);
  const info = isKnown(named) ? named : calledHelp(cells, code, position);
  return info && { "text/plain": printQuickInfo(info), "text/markdown": markdown(info) };
}

/** A name that nothing declares is `any` to TypeScript. */
function isKnown(info: ts.QuickInfo | undefined): boolean {
  return info !== undefined && !(info.kind === "" && info.displayParts?.map(({ text }) => text).join("") === "any");
}

/** Among the arguments of a call, the function is what one wants to know of. */
function calledHelp(cells: Cells, code: string, position: number): ts.QuickInfo | undefined {
  const file = parseCell(compiler, code);
  const at = position + SOURCE_PREFIX.length;
  let called: ts.Expression | undefined;
  // A call that is being written ends before the spaces behind it.
  const written = file.text.slice(0, at).trimEnd().length;
  const visit = (node: ts.Node): void => {
    if (node.pos > at || (node.end < at && (node.end < written || file.text[node.end - 1] === ")"))) return;
    const isCall = compiler.isCallExpression(node) || compiler.isNewExpression(node);
    if (isCall && node.expression.end < at) called = node.expression;
    compiler.forEachChild(node, visit);
  };
  visit(file);
  return called && cells.inspect(code, called.end - SOURCE_PREFIX.length);
}

function markdown({ displayParts = [], documentation = [], tags = [] }: ts.QuickInfo): string {
  const signature = `\`\`\`ts\n${displayParts.map(({ text }) => text).join("")}\n\`\`\``;
  const docs = documentation.map(({ text }) => text).join("");
  return [signature, docs, ...tags.map(tagText)].filter((part) => part !== "").join("\n\n");
}

function tagText({ name, text = [] }: ts.JSDocTagInfo): string {
  const words = text.map((part) => part.text).join("");
  const parameter = text.find(({ kind }) => kind === "parameterName")?.text;
  if (parameter === undefined) return words.includes("\n") ? `*@${name}*\n${words}` : `*@${name}* ${words}`.trimEnd();
  const about = words.slice(parameter.length).trim();
  return `*@${name}* \`${parameter}\`${about ? `: ${about.replace(/^-\s*/, "")}` : ""}`;
}
