import { type StructType, simpleString } from "../data/types";
import { readParquetFooter, sparkSchemaOf } from "../parquet";
import { listed, type Place, type Storages } from "../storage";
import { globPattern } from "../storage/glob";
import { isInside, type Url } from "../storage/location";
import { OutputInsideInputError, SchemaMismatchError } from "./errors";
import { unescapeFolder } from "./partition-values";

/** A write into its own input would read or delete what it made. @throws OutputInsideInputError */
export async function refuseOutputInsideInput(
  storages: Storages,
  output: string,
  inputs: readonly string[],
): Promise<void> {
  const resolved = async (path: string) => {
    const { storage, url } = storages.at(path);
    return storage.resolve(url);
  };
  const to = await resolved(output);
  for (const input of inputs) {
    const from = await resolved(input);
    if (isInside(to, from)) throw outputInsideInput(to, from, to === from ? "is also read" : "lies inside the input");
    if (isInside(from, to)) throw outputInsideInput(to, from, "contains the input");
  }
}

/**
 * The same by paths' names alone, for a storage that only another machine sees: of its links nothing is known. Inputs may be patterns.
 * @throws OutputInsideInputError
 */
export function refuseOutputOverInput(output: Url, inputs: readonly Url[]): void {
  const to = namesOf(output);
  for (const input of inputs) {
    const from = namesOf(input);
    const common = Math.min(to.length, from.length);
    const fits = (name: string, i: number) => name === to[i] || globPattern(name).test(to[i] ?? "");
    if (!from.slice(0, common).every(fits)) continue;
    const how = to.length > from.length ? "lies inside the input" : "contains the input";
    throw outputInsideInput(output, input, output === input ? "is also read" : how);
  }
}

/** A URL's parts; S3's names for itself are one. */
function namesOf(url: Url): readonly string[] {
  return url
    .replace(/^s3[an]:/, "s3:")
    .replace(/\/+$/, "")
    .split(/\/+/);
}

function outputInsideInput(to: string, from: string, how: string): OutputInsideInputError {
  return new OutputInsideInputError(`The output ${to} ${how}${to === from ? "" : ` ${from}`}.`, {
    remedy: "Write to a folder outside of what is read.",
  });
}

/**
 * Appending other columns, or other folders, would make a data set that nothing reads.
 * @param schema the columns of the files @param partitionBy the columns of the folders
 * @throws SchemaMismatchError
 */
export async function refuseOtherColumns(
  { storage, url: path }: Place,
  schema: StructType,
  partitionBy: readonly string[],
): Promise<void> {
  if ((await storage.stat(path)) !== "folder") return;
  const root = await storage.resolve(path);
  const part = (await listed(storage, root)).find(({ url }) => url.endsWith(".parquet"));
  if (!part) return;
  const inside = part.url
    .slice(root.length + 1)
    .split("/")
    .slice(0, -1);
  const folders = inside.filter((name) => name.includes("=")).map((name) => unescapeFolder(name.split("=")[0] ?? ""));
  if (folders.join("/").toLowerCase() !== partitionBy.join("/").toLowerCase()) {
    const names = (list: readonly string[]) =>
      list.length > 0 ? `partitioned by ${list.join(", ")}` : "not partitioned";
    throw new SchemaMismatchError(`${path} is ${names(folders)}; what is to be appended is ${names(partitionBy)}.`, {
      remedy: "Append with the same partitionBy, or write to another path.",
    });
  }
  const columns = ({ fields }: StructType) => fields.map((f) => `${f.name} ${simpleString(f.type)}`).join(", ");
  const there = columns(sparkSchemaOf(await readParquetFooter({ storage, url: part.url }, part.size), part.url));
  const added = columns(schema);
  if (there === added) return;
  throw new SchemaMismatchError(`${path} has the columns ${there}; what is to be appended has ${added}.`, {
    remedy: "Append the same columns in the same order, or write to another path.",
  });
}
