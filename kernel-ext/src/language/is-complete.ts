import type { Content } from "../messages";
import { parseCell } from "./cell-source";
import { compiler } from "./compiler";
import { isCompleteMagic, typescriptOf } from "./magic-cells";
import { SOURCE_PREFIX } from "./tslab-converter";

/**
 * The content of an `is_complete_reply`: whether a console runs the text when its user presses Enter.
 * @see https://jupyter-client.readthedocs.io/en/stable/messaging.html#code-completeness
 */
export function isCompleteReply(source: string): Content {
  const magic = isCompleteMagic(source);
  if (magic === false) return { status: "incomplete", indent: "" };
  const code = typescriptOf(source);
  return code === undefined ? { status: "complete" } : completeness(code);
}

function completeness(source: string): Content {
  const first = compiler.parseErrorsOf(parseCell(compiler, source))[0];
  if (!first) return { status: "complete" };
  const isAtEnd = first.start >= SOURCE_PREFIX.length + source.trimEnd().length;
  if ((isAtEnd && first.code !== UNTERMINATED_STRING) || OPEN.has(first.code))
    return { status: "incomplete", indent: indentAfter(source) };
  return { status: "invalid" };
}

/** `'}' expected` and its like stand at the end by themselves; these begin where the open thing does. */
const OPEN = new Set([1010 /* '*' + '/' expected */, 1160 /* unterminated template literal */]);

/** No further line can end it. */
const UNTERMINATED_STRING = 1002;

/** The last line's indent, and one step more where it leaves a bracket open. */
function indentAfter(source: string): string {
  const line = source.trimEnd().split("\n").at(-1) ?? "";
  const indent = /^\s*/.exec(line)?.[0] ?? "";
  const opens = /(\{[^}"'`]*|\([^)"'`]*|\[[^\]"'`]*|=>\s*)$/.test(line.replace(/\/\/.*$/, ""));
  return opens ? `${indent}  ` : indent;
}
