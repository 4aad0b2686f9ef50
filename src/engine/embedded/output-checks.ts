import { type StructType, simpleString } from "../../data/types";
import { storageFor } from "../../storage";
import { resolveLinks } from "../../storage/links";
import { isInside, locationUrl, parseLocation } from "../../storage/location";
import { OutputInsideInputError, SchemaMismatchError } from "../errors";
import type { Relational } from "./duckdb";
import { parquetSql } from "./sources";

/** A write into its own input would read or delete what it made. @throws OutputInsideInputError */
export async function refuseOutputInsideInput(output: string, inputs: readonly string[]): Promise<void> {
  const to = await resolveLinks(locationUrl(parseLocation(output)));
  for (const input of inputs) {
    const from = await resolveLinks(locationUrl(parseLocation(input)));
    if (!isInside(to, from) && !isInside(from, to)) continue;
    const how = to === from ? "is also read" : isInside(to, from) ? "lies inside the input" : "contains the input";
    throw new OutputInsideInputError(`The output ${to} ${how}${to === from ? "" : ` ${from}`}.`, {
      remedy: "Write to a folder outside of what is read.",
    });
  }
}

/** Appending other columns would make a data set that nothing reads. @throws SchemaMismatchError */
export async function refuseOtherColumns(path: string, schema: StructType, duckdb: Relational): Promise<void> {
  const storage = storageFor(path);
  if ((await storage.stat(path)) !== "folder") return;
  const part = (await storage.list(path, { recursive: false })).find(({ url }) => url.endsWith(".parquet"));
  if (!part) return;
  const columns = ({ fields }: StructType) => fields.map((f) => `${f.name} ${simpleString(f.type)}`).join(", ");
  const there = columns(await duckdb.describe(parquetSql([part.url])));
  const added = columns(schema);
  if (there === added) return;
  throw new SchemaMismatchError(`${path} has the columns ${there}; what is to be appended has ${added}.`, {
    remedy: "Append the same columns in the same order, or write to another path.",
  });
}
