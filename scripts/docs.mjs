#!/usr/bin/env node
// Makes out/docs: the reference of every public entry, from its doc comments, and the pages of docs. Fails on a dead link.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { inRoot } from "./setup/paths.mjs";
import { run } from "./setup/processes.mjs";
import { filesBelow } from "./setup/stamp.mjs";

const site = inRoot("out", "docs");

/** TypeDoc looks at files, not at the headings in them. */
function deadAnchors() {
  const pages = new Map(
    filesBelow(site)
      .filter((file) => file.endsWith(".html"))
      .map((file) => [file, readFileSync(file, "utf8")]),
  );
  const ids = new Map([...pages].map(([file, html]) => [file, new Set(matches(html, /\bid="([^"]+)"/g))]));
  return [...pages].flatMap(([file, html]) =>
    matches(html, /\bhref="((?:[^":#]*\.html)?#[^"]+)"/g).flatMap((link) => {
      const [path, anchor] = link.split("#");
      const target = path === "" ? file : resolve(dirname(file), decodeURI(path));
      const isThere = ids.get(target)?.has(decodeURIComponent(anchor)) ?? false;
      return isThere ? [] : [`${relative(site, file)}: nothing is at ${link}`];
    }),
  );
}

const matches = (text, pattern) => Array.from(text.matchAll(pattern), (match) => match[1]);

try {
  const typedoc = join(dirname(createRequire(import.meta.url).resolve("typedoc/package.json")), "bin", "typedoc");
  await run(process.execPath, [typedoc]);
  const dead = [...new Set(deadAnchors())];
  if (dead.length > 0) throw new Error(dead.join("\n"));
  console.log(`${join(site, "index.html")}`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
