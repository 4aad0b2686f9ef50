import type { RecordBatch } from "apache-arrow";
import { type DataType, type StructType, simpleString } from "../data/types";
import type { MimeBundle } from "../kernel/mime-bundle";
import { htmlTable } from "../showing/html-table";
import { shownRows, shownText } from "../showing/show";
import type { Plan } from "./plan";
import type { Runtime } from "./runtime";

/** What is shown of a DataFrame. */
export interface ShownFrame {
  readonly plan: Plan;
  readonly runtime: Runtime;
  schema(): Promise<StructType>;
}

/**
 * How a notebook shows a DataFrame: its first rows, computed for that, or only its columns.
 * @see https://spark.apache.org/docs/latest/api/python/getting_started/quickstart_df.html#Viewing-Data
 * @throws what computing the rows throws
 */
export async function frameBundle(df: ShownFrame): Promise<MimeBundle> {
  const setting = (name: string) => df.runtime.setting(`spark.sql.repl.eagerEval.${name}`);
  if (setting("enabled")?.toLowerCase() !== "true") return { "text/plain": schemaLine(await df.schema()) };
  return rowsBundle(df, Number(setting("maxNumRows")));
}

/** The first `n` rows as a table. */
export async function rowsBundle(df: ShownFrame, n: number): Promise<MimeBundle> {
  const truncate = Number(df.runtime.setting("spark.sql.repl.eagerEval.truncate"));
  const schema = await df.schema();
  const batches: RecordBatch[] = [];
  for await (const batch of df.runtime.execute(firstRows(df.plan, n + 1))) if (batch.numRows > 0) batches.push(batch);
  const shown = shownRows(schema, batches, n, { truncate });
  const table = {
    header: shown.header,
    rows: shown.rows,
    titles: schema.fields.map(({ type }) => simpleString(type)),
    right: schema.fields.map(({ type }) => isNumber(type)),
    ...(shown.more ? { note: `Only the first ${n === 1 ? "row is" : `${n} rows are`} shown.` } : {}),
  };
  return { "text/html": htmlTable(table), "text/plain": shownText(shown, { truncate }) };
}

/** PySpark's line for a DataFrame: `DataFrame[path: string, length: bigint]`. */
export function schemaLine(schema: StructType): string {
  return `DataFrame[${schema.fields.map(({ name, type }) => `${name}: ${simpleString(type)}`).join(", ")}]`;
}

/**
 * A plan's first rows. Operations that give a row for each row run on no more than these, whatever they compute; an engine
 * might make a stage of all rows first.
 */
function firstRows(plan: Plan, n: number): Plan {
  switch (plan.op) {
    case "project":
    case "withColumns":
    case "rename":
    case "drop":
      return { ...plan, input: firstRows(plan.input, n) };
    default:
      return { op: "limit", input: plan, n };
  }
}

function isNumber(type: DataType): boolean {
  return typeof type === "string" && /^(?:byte|short|integer|long|float|double|decimal.*)$/.test(type);
}
