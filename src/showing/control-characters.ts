/** Control characters as Spark escapes them, so that one cell stays on one line. */
export function escapeControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that break a line
  return text.replace(/[\n\r\t\f\x08\x0b\x07]/g, (c) => ESCAPES[c] ?? c);
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\f": "\\f",
  "\b": "\\b",
  "\x0b": "\\v",
  "\x07": "\\a",
};
