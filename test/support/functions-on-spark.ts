import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import type { StructType } from "../../src/data/types";
import { type Relation, RelationSchema } from "../../src/engine/spark/protos/spark/connect/relations_pb";
import { parseSchema } from "../../src/frame/ddl";
import type { Step } from "../../src/worker/task";

/** The built package: the program that travels is made of it. */
const dist = (path: string) => require(join(__dirname, "../../dist", path));
const { sparkClient } = dist("engine/spark/client") as typeof import("../../src/engine/spark/client");
const { fanOut } = dist("engine/spark/fan-out") as typeof import("../../src/engine/spark/fan-out");
const { errorFromSpark } = dist(
  "engine/spark/executor-errors",
) as typeof import("../../src/engine/spark/executor-errors");
const { textOf } = dist("engine/spark/executor-probe") as typeof import("../../src/engine/spark/executor-probe");
const { preparedSteps } = dist("engine/prepared-steps") as typeof import("../../src/engine/prepared-steps");
const { valuesFromVector } = dist("data/vectors") as typeof import("../../src/data/vectors");
const { tableFromIPC } = require("apache-arrow") as typeof import("apache-arrow");

/** Rows that go through steps beside the executors. */
export interface Work {
  readonly input: Relation;
  /** The input's schema. */
  readonly columns: string;
  readonly steps: readonly Step[];
  readonly returns: string | StructType;
  /** @default true */
  readonly preservesRows?: boolean;
  /** @default 100 */
  readonly batchRows?: number;
  readonly signal?: AbortSignal;
}

export type Row = Readonly<Record<string, unknown>>;

export interface FunctionsOnSpark {
  /** The rows that come of it, in no order. @throws what an engine is to throw */
  rowsOf(work: Work): Promise<Row[]>;
  /** A relation's rows. */
  collected(relation: Relation, schema: StructType, signal?: AbortSignal): Promise<Row[]>;
  /** What users were told. */
  readonly notes: readonly string[];
  close(): Promise<void>;
}

/** One session of a server's, and functions in it. */
export function functionsOn(url: string): FunctionsOnSpark {
  const client = sparkClient(url);
  const notes: string[] = [];
  const fan = fanOut(
    client,
    (_, text) => notes.push(text),
    () => undefined,
  );

  async function collected(relation: Relation, { fields }: StructType, signal?: AbortSignal) {
    const rows: Row[] = [];
    for await (const { responseType } of client.execute({ opType: { case: "root", value: relation } }, { signal })) {
      if (responseType.case !== "arrowBatch") continue;
      const table = tableFromIPC(responseType.value.data);
      const values = fields.map(({ type }, i) => valuesFromVector(table.getChildAt(i)!, type));
      for (let row = 0; row < table.numRows; row++)
        rows.push(Object.fromEntries(fields.map(({ name }, i) => [name, values[i]![row]])));
    }
    return rows;
  }

  return {
    notes,
    collected,
    async rowsOf({ input, columns, steps, returns, preservesRows = true, batchRows = 100, ...work }) {
      const signal = work.signal ?? new AbortController().signal;
      const output = typeof returns === "string" ? parseSchema(returns) : returns;
      const { steps: prepared } = await preparedSteps(steps, { log: () => {}, ship: fan.ship });
      const how = { preservesRows, batchRows };
      const relation = await fan.mapPartitions(input, parseSchema(columns), prepared, output, how, signal);
      try {
        return await collected(relation, output, signal);
      } catch (error) {
        throw errorFromSpark(textOf(error)) ?? error;
      }
    },
    close: () => client.close(),
  };
}

export const sql = (query: string) => create(RelationSchema, { relType: { case: "sql", value: { query } } });

export function selected(...names: string[]): Step {
  return { kind: "select", columns: names.map((name) => ({ from: name, as: name })) };
}

/** The step that a column of a function is. @param made the column */
export function column(made: { readonly expression: unknown }, args: string[], as: string, type: string): Step {
  const { fn } = made.expression as { readonly fn: (Step & { kind: "column" })["fn"] };
  return { kind: "column", fn, args, as, type: parseSchema(`x ${type}`).fields[0]!.type, rowName: "path" };
}

const attribute = (unparsedIdentifier: string) =>
  ({ exprType: { case: "unresolvedAttribute", value: { unparsedIdentifier } } }) as const;

export function projected(input: Relation, names: readonly string[]): Relation {
  return create(RelationSchema, {
    relType: { case: "project", value: { input, expressions: names.map((name) => attribute(name)) } },
  });
}

/** A column of arrays as vectors, by Spark's function, which its SQL has not. */
export function withVector(input: Relation, array: string, as: string): Relation {
  const made = { functionName: "array_to_vector", arguments: [attribute(array)] };
  const named = { expr: { exprType: { case: "unresolvedFunction", value: made } as const }, name: [as] };
  const alias = { exprType: { case: "alias", value: named } } as const;
  const everything = { exprType: { case: "unresolvedStar", value: {} } } as const;
  const both = create(RelationSchema, {
    relType: { case: "project", value: { input, expressions: [everything, alias] } },
  });
  return create(RelationSchema, { relType: { case: "drop", value: { input: both, columnNames: [array] } } });
}

/** The processes of that title. */
export function titled(title: string): string[] {
  const all = execFileSync("ps", ["-eo", "args"], { encoding: "utf8" });
  return all.split("\n").filter((line) => line.trim() === title);
}
