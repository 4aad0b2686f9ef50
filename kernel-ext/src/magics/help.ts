import { escapeHtml, type MimeBundle } from "pomona/kernel";
import { htmlTable } from "pomona/notebook";
import { MAGICS, type Magic } from "./catalog";
import { UnknownMagicError } from "./errors";

/** All magics, or how one of them is used. @throws UnknownMagicError */
export function helpBundle(asked: string | undefined): MimeBundle {
  const name = asked?.replace(/^%+/, "");
  if (name === undefined) return allMagics();
  const magic = MAGICS.find((candidate) => candidate.name === name);
  if (!magic) throw new UnknownMagicError(name);
  return oneMagic(magic);
}

function allMagics(): MimeBundle {
  const rows = MAGICS.map(({ usage, about }) => [usage.split("\n")[0] as string, about] as const);
  const width = Math.max(...rows.map(([usage]) => usage.length)) + 2;
  return {
    "text/html": htmlTable({ header: ["magic", "what it does"], rows, note: "%%help sql tells more of one." }),
    "text/plain": rows.map(([usage, about]) => `${usage.padEnd(width)}${about}`).join("\n"),
  };
}

function oneMagic({ usage, about, options }: Magic): MimeBundle {
  const named = options.map((option) => [[option.name, option.value].filter(Boolean).join(" "), option.about] as const);
  const width = Math.max(0, ...named.map(([name]) => name.length)) + 2;
  const html = named.map(([name, text]) => `<li><code>${escapeHtml(name)}</code> ${escapeHtml(text)}</li>`);
  return {
    "text/html": `<pre>${escapeHtml(usage)}</pre><p>${escapeHtml(about)}</p>${html.length > 0 ? `<ul>${html.join("")}</ul>` : ""}`,
    "text/plain": [usage, "", about, ...named.map(([name, text]) => `  ${name.padEnd(width)}${text}`)].join("\n"),
  };
}
