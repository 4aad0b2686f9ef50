import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { type DataType, type StructType, simpleString } from "../../src/data/types";
import { selectSql } from "../../src/engine/embedded/analysis";
import { resolvePlan } from "../../src/engine/embedded/analyzer/analyzer";
import { duckdbSchema } from "../../src/engine/embedded/duckdb-types";
import { compileRelational, type LeafRelation, uniqueNames, viewsSql } from "../../src/engine/embedded/sql";
import { PRELUDE } from "../../src/engine/embedded/sql-macros";
import { querySql } from "../../src/engine/embedded/sql-query";
import type { LeafPlan, Relation } from "../../src/engine/relation";
import { DataFrame } from "../../src/frame/dataframe";
import type { Plan } from "../../src/frame/plan";

/** A plan's result in a form that can be compared with Spark's. */
export interface PlanResult {
  readonly columns: readonly (readonly [name: string, type: string])[];
  readonly rows: readonly (readonly unknown[])[];
}

/** SQL, and the names of its columns, of which two may be the same. */
export interface CompiledQuery {
  readonly sql: string;
  readonly columns: readonly string[];
}

/** A real DuckDB that runs relational plans; paths of `read` plans are Parquet files. */
export interface DuckDbPlans {
  /** The rows of a Parquet file. */
  frame(path: string): DataFrame;
  query(plan: Plan): Promise<CompiledQuery>;
  run(plan: Plan): Promise<PlanResult>;
  sql(text: string): Promise<void>;
  close(): void;
}

export async function openDuckDbPlans(threads = 2): Promise<DuckDbPlans> {
  const instance = await DuckDBInstance.create(":memory:", { threads: String(threads) });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  for (const statement of PRELUDE) await connection.run(statement);
  const describe = (sql: string) => schemaOf(connection, sql);

  async function query(plan: Plan): Promise<CompiledQuery> {
    const leaves = new Map<string, StructType>();
    for (const path of pathsIn(plan)) leaves.set(path, await describe(readSql(path)));
    const leaf = (read: LeafPlan) => {
      if (read.op !== "read") throw new Error(`No leaf of kind ${read.op} here`);
      const [path = ""] = read.paths;
      return { sql: readSql(path), schema: leaves.get(path) ?? { type: "struct" as const, fields: [] } };
    };
    const leafSql = (relation: LeafRelation) => {
      if (relation.op !== "leaf") throw new Error("No stages here");
      return leaf(relation.leaf);
    };
    const compile = (relation: Relation) => compileRelational(relation, leafSql);
    const { relation, output } = await resolvePlan(plan, {
      leaf,
      cached: () => undefined,
      schemaOf: (probe) => describe(compile(probe)),
      schemaOfQuery: (text, views) => describe(querySql(text, viewsSql(views, {}, leafSql))),
    });
    const columns = output.map((o) => o.name);
    const names = uniqueNames(columns);
    const named = output.map(({ id }, i) => ({ from: id, as: names[i] ?? id }));
    return { sql: columns.length > 0 ? selectSql(compile(relation), named) : compile(relation), columns };
  }

  return {
    frame: (path) => new DataFrame({ op: "read", format: "parquet", paths: [path], options: {} }, plansOnly),
    query,
    async run(plan) {
      const { sql, columns } = await query(plan);
      const schema = await describe(sql);
      const reader = await connection.runAndReadAll(sql);
      const types = schema.fields.map((f) => f.type);
      return {
        columns: columns.map((name, i) => [name, simpleString(types[i] ?? "void")] as const),
        rows: reader.getRowsJson().map((row) => row.map((value, i) => comparable(value, types[i] ?? "void"))),
      };
    },
    async sql(text) {
      await connection.run(text);
    },
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

function readSql(path: string): string {
  return `SELECT * FROM read_parquet('${path.replaceAll("'", "''")}')`;
}

async function schemaOf(connection: DuckDBConnection, sql: string): Promise<StructType> {
  const reader = await connection.runAndReadAll(`DESCRIBE ${sql}`);
  const rows = reader.getRowObjects() as { column_name: string; column_type: string }[];
  return duckdbSchema(rows.map((row) => ({ name: row.column_name, type: row.column_type })));
}

function pathsIn(plan: unknown): string[] {
  if (Array.isArray(plan)) return plan.flatMap(pathsIn);
  if (typeof plan !== "object" || plan === null) return [];
  if ((plan as { op?: string }).op === "read") return [...(plan as { paths: string[] }).paths];
  return Object.values(plan).flatMap(pathsIn);
}

/** DuckDB's JSON of a value in the form that the Python side gives Spark's. */
function comparable(value: unknown, type: DataType): unknown {
  if (value === null) return null;
  if (typeof type === "string") {
    if (type === "long") return Number(value);
    if (type === "binary") return Buffer.from(unescapeBlob(value as string), "latin1").toString("hex");
    if (type === "timestamp" || type === "timestamp_ntz") return isoText(value as string);
    return value;
  }
  switch (type.type) {
    case "array":
      return (value as unknown[]).map((item) => comparable(item, type.elementType));
    case "struct":
      return type.fields.map((f) => comparable((value as Record<string, unknown>)[f.name], f.type));
    case "map":
      return (value as { key: unknown; value: unknown }[])
        .map((e) => [comparable(e.key, type.keyType), comparable(e.value, type.valueType)])
        .sort();
  }
}

/** As Python's `isoformat`: microseconds in full or not at all. */
function isoText(text: string): string {
  const [whole = "", fraction] = text.replace("+00", "").split(".");
  return fraction === undefined ? whole : `${whole}.${fraction.padEnd(6, "0")}`;
}

/** DuckDB writes a byte outside ASCII as `\xFF`. */
function unescapeBlob(text: string): string {
  return text.replace(/\\x([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

const unused = (): never => {
  throw new Error("These tests compile plans; no action runs.");
};

const plansOnly = {
  schema: unused,
  explain: unused,
  execute: unused,
  write: unused,
  onDriver: unused,
  unpersist: unused,
  partitions: unused,
  footer: unused,
  setting: unused,
  broadcast: unused,
};
