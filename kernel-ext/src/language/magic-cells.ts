import { MAGICS, type Magic } from "../magics/catalog";

/** What may stand in place of a part of the cell, the best first. Offsets are UTF-16. */
export interface Completions {
  readonly start: number;
  readonly end: number;
  readonly items: readonly { readonly text: string; readonly type: string }[];
}

/** The head of a cell that begins with a magic: `%%name`, or `%name`. Offsets are UTF-16. */
interface MagicHead {
  /** Where the name begins, behind the `%%`. */
  readonly nameStart: number;
  readonly nameEnd: number;
  /** The end of the head's line. */
  readonly lineEnd: number;
  readonly name: string;
  readonly magic: Magic | undefined;
}

function headOf(source: string): MagicHead | undefined {
  const found = /^(?:[^\S\n]*\n)*[^\S\n]*%%?(?<name>[\p{L}\w-]*)/u.exec(source);
  if (!found) return undefined;
  const name = found.groups?.name ?? "";
  const nameEnd = found[0].length;
  const newline = source.indexOf("\n", nameEnd);
  return {
    nameStart: nameEnd - name.length,
    nameEnd,
    lineEnd: newline < 0 ? source.length : newline,
    name,
    magic: MAGICS.find((magic) => magic.name === name),
  };
}

/**
 * The TypeScript of a cell with every character where it stands: the whole cell, or what a magic like `%%time` takes; undefined
 * for a magic that takes none.
 */
export function typescriptOf(source: string): string | undefined {
  const head = headOf(source);
  if (!head) return source;
  if (head.magic?.body !== "typescript") return undefined;
  const words = /^(?:[^\S\n]+-\p{L}\S*)*/u.exec(source.slice(head.nameEnd, head.lineEnd))?.[0].length ?? 0;
  const start = head.nameEnd + words;
  return source.slice(0, start).replace(/[^\n]/g, " ") + source.slice(start);
}

/** Names and options of magics; undefined where the cursor is not at one. */
export function magicCompletions(source: string, position: number): Completions | undefined {
  const head = headOf(source);
  if (!head || position < head.nameStart || position > head.lineEnd) return undefined;
  if (position <= head.nameEnd) return nameCompletions(source, head, position);
  const typed = /\S*$/.exec(source.slice(head.nameEnd, position))?.[0] ?? "";
  if (head.magic?.name === "help") {
    const items = MAGICS.filter(({ name }) => name.startsWith(typed)).map(({ name }) => ({
      text: name,
      type: "magic",
    }));
    return { start: position - typed.length, end: position, items };
  }
  const options = head.magic?.options.filter(({ name }) => name.startsWith(typed)) ?? [];
  if (head.magic?.body === "typescript" && options.length === 0) return undefined;
  const items = options.map(({ name }) => ({ text: name, type: "option" }));
  return { start: position - typed.length, end: position, items };
}

/** With the percent signs, since a front end takes them for a part of the word. */
function nameCompletions(source: string, head: MagicHead, position: number): Completions {
  const typed = source.slice(head.nameStart, position);
  const signs = /%*$/.exec(source.slice(0, head.nameStart))?.[0] ?? "";
  const items = MAGICS.filter(({ name }) => name.startsWith(typed)).map(({ name }) => ({
    text: `%%${name}`,
    type: "magic",
  }));
  return { start: head.nameStart - signs.length, end: head.nameEnd, items };
}

/** What a magic is, with the cursor on its line; undefined elsewhere. */
export function magicHelp(source: string, position: number): Record<string, string> | undefined {
  const head = headOf(source);
  if (!head?.magic || position > head.lineEnd) return undefined;
  if (head.magic.body === "typescript" && position > head.nameEnd) return undefined;
  const { usage, about, options } = head.magic;
  const lines = options.map((option) => ({
    option: option.value === undefined ? option.name : `${option.name} ${option.value}`,
    about: option.about,
  }));
  return {
    "text/plain": [usage, "", about, ...lines.map((line) => `  ${line.option}: ${line.about}`)].join("\n"),
    "text/markdown": [
      `\`\`\`\n${usage}\n\`\`\``,
      about,
      lines.map((line) => `- \`${line.option}\`: ${line.about}`).join("\n"),
    ]
      .filter((part) => part !== "")
      .join("\n\n"),
  };
}

/** True when a cell with a magic can run: it takes no body, or a blank line ends it; undefined where its body is TypeScript or there is no magic. */
export function isCompleteMagic(source: string): boolean | undefined {
  const head = headOf(source);
  if (!head) return undefined;
  if (head.magic?.body === "none" || /\n[^\S\n]*$/.test(source.slice(head.lineEnd + 1))) return true;
  if (head.magic?.body === "typescript" && typescriptOf(source)?.trim()) return undefined;
  // An unknown name is for the kernel to complain of.
  return head.magic === undefined;
}
