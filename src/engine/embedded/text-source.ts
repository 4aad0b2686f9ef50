import { type FileStatus, PathNotFoundError } from "../../storage";
import { parseLocation } from "../../storage/location";
import type { Relational } from "./duckdb";
import { duckdbType } from "./duckdb-types";
import { filesFingerprint, type ReadLeaf } from "./files";
import type { BoundSource } from "./sources";
import type { Spool } from "./spool";
import { quotedIdentifier, quotedText } from "./sql-text";

/**
 * Looks up text files: their columns. The rows are parsed by `load`.
 * @param files those to read, in order
 * @throws PathNotFoundError
 */
export async function bindText(
  leaf: ReadLeaf,
  files: readonly FileStatus[],
  { relational }: { readonly relational: Relational; readonly spool: Spool },
): Promise<BoundSource> {
  if (files.length === 0) {
    throw new PathNotFoundError(`There is no CSV file in ${leaf.paths.join(", ")}.`, leaf.paths[0] ?? "");
  }
  const given = leaf.options;
  const header = given.header === "true";
  const options = [
    `header = ${header}`,
    `delim = ${quotedText(given.sep ?? ",")}`,
    `quote = ${quotedText(given.quote ?? '"')}`,
    `escape = ${quotedText(given.escape ?? "\\")}`,
    `nullstr = ${quotedText(given.nullValue ?? "")}`,
    `all_varchar = ${given.inferSchema !== "true" || leaf.schema !== undefined}`,
  ];
  const list = files.map((f) => quotedText(parseLocation(f.url).path)).join(", ");
  const text = `SELECT * FROM read_csv([${list}], ${options.join(", ")})`;
  const found = (await relational.describe(text)).fields.map((f) => f.name);
  // Spark names the columns of a file without header _c0, _c1, ...
  const columns = found.map((name, i) => {
    const declared = leaf.schema?.fields[i];
    const as = declared?.name ?? (header ? name : `_c${i}`);
    const value = quotedIdentifier(name);
    const typed = declared ? `CAST(${value} AS ${duckdbType(declared.type)})` : value;
    return `${typed} AS ${quotedIdentifier(as)}`;
  });
  const sql = `SELECT ${columns.join(", ")} FROM (${text})`;
  return { sql, schema: await relational.describe(sql), fingerprint: filesFingerprint(files) };
}
