import type { StructType } from "../data/types";
import { escapeHtml, type MimeBundle } from "../kernel/mime-bundle";
import { schemaTree } from "../showing/schema-tree";
import { isPlainObject } from "./inspection";

/** A schema as `printSchema` prints it; undefined for any other value. */
export function schemaBundle(value: unknown): MimeBundle | undefined {
  if (!isSchema(value)) return undefined;
  const tree = schemaTree(value).trimEnd();
  return { "text/html": `<pre class="pomona-schema">${escapeHtml(tree)}</pre>`, "text/plain": tree };
}

function isSchema(value: unknown): value is StructType {
  if (!isPlainObject(value) || value.type !== "struct" || !Array.isArray(value.fields)) return false;
  return value.fields.every((f) => isPlainObject(f) && typeof f.name === "string" && "type" in f && "nullable" in f);
}
