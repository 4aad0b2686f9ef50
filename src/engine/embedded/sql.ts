import { type DataType, type StructType, simpleString } from "../../data/types";
import { PomonaError } from "../../errors";
import { AnalysisError } from "../../frame/analysis-error";
import { commonType } from "../../frame/coercion";
import { childrenOf } from "../../frame/expressions";
import type { Value } from "../../frame/function-entry";
import { type Expression, outputName, type Plan } from "../../frame/plan";
import { matching, nameParts, resolveName } from "../../frame/resolve";
import { duckdbType } from "./duckdb-types";
import { aggregateParts, canonical, hasAggregate, overParts, refuseLooseColumns, unaliased } from "./sql-aggregates";
import { castValue } from "./sql-cast";
import { conditionSql, expressionValue, type ResolveName } from "./sql-expression";
import { joinSql } from "./sql-join";
import { balancedSampleSql, type Named, rowNumberSql, sampleSql } from "./sql-sample";
import { duckdbText, quotedIdentifier } from "./sql-text";

export { PRELUDE } from "./sql-macros";

/** SQL for some rows, and the names of its columns in order. */
export interface CompiledQuery {
  readonly sql: string;
  /** As Spark names them: two may be the same. The columns of `sql` have these names too, in this order. */
  readonly columns: readonly string[];
  /** What each column holds. */
  readonly types: readonly ColumnType[];
}

/** What a column holds. */
export interface ColumnType {
  readonly type: DataType;
  readonly nullable: boolean;
}

/** What the columns of a schema hold. */
export function columnTypes(schema: StructType): ColumnType[] {
  return schema.fields.map(({ type, nullable }) => ({ type, nullable }));
}

/** What compiling needs from outside. */
export interface CompileOptions {
  /**
   * The schema of the SQL of a `sql` plan; only DuckDB knows its columns. May throw {@link UnknownQuerySchema}:
   * see {@link describingQueries}.
   */
  readonly describeQuery?: (sql: string) => StructType;
}

/** The plans that the compiler asks for instead of compiling them. */
export type LeafPlan = Extract<Plan, { op: "read" | "local" | "cached" | "mapBatches" }>;

/**
 * Compiles the relational part of a plan to one DuckDB query with Spark's meaning. The database has to know the macros in
 * {@link PRELUDE}. Nothing is read and nothing runs.
 * @param resolveLeaf SQL for a leaf: a read, local rows, something cached, or a stage's output
 * @throws UnresolvedColumnError, AmbiguousColumnError, AnalysisError
 */
export function compileRelational(
  plan: Plan,
  resolveLeaf: (leaf: LeafPlan) => CompiledQuery,
  options: CompileOptions = {},
): CompiledQuery {
  const compiler = new Compiler(resolveLeaf, options);
  return compiler.query(compiler.relation(plan));
}

/** Thrown by a compilation that meets SQL whose columns are not known yet. */
export class UnknownQuerySchema extends PomonaError {
  constructor(readonly sql: string) {
    super(`The columns of this query are not known yet: ${sql}`);
  }
}

/**
 * Runs `attempt` until it knows the columns of every query in the plan: a synchronous compilation that meets an unknown
 * query ends in {@link UnknownQuerySchema}, the query is described, and the compilation starts again.
 */
export async function describingQueries<T>(
  describe: (sql: string) => Promise<StructType>,
  attempt: (describeQuery: (sql: string) => StructType) => T,
): Promise<T> {
  const known = new Map<string, StructType>();
  for (;;) {
    try {
      return attempt((sql) => {
        const schema = known.get(sql);
        if (schema === undefined) throw new UnknownQuerySchema(sql);
        return schema;
      });
    } catch (error) {
      if (!(error instanceof UnknownQuerySchema) || known.has(error.sql)) throw error;
      known.set(error.sql, await describe(error.sql));
    }
  }
}

/** A step of the query: a common table expression. */
interface Relation extends Named {
  /** The columns' names; `ids` are the same but where a name comes twice. */
  readonly names: readonly string[];
  readonly types: readonly ColumnType[];
}

/** One output column of a step. */
interface Output extends ColumnType {
  readonly name: string;
  readonly sql: string;
}

class Compiler {
  private readonly steps: string[] = [];

  constructor(
    private readonly resolveLeaf: (leaf: LeafPlan) => CompiledQuery,
    private readonly options: CompileOptions,
  ) {}

  query({ name, ids, names, types }: Relation): CompiledQuery {
    const list = ids.map((id, i) => aliased(quotedIdentifier(id), names[i] ?? id)).join(", ");
    return {
      sql: `WITH ${this.steps.join(",\n")}\nSELECT ${list || '1 AS "__none"'} FROM ${name}${list ? "" : " WHERE false"}`,
      columns: names,
      types,
    };
  }

  relation(plan: Plan): Relation {
    switch (plan.op) {
      case "read":
      case "local":
      case "cached":
      case "mapBatches":
        return this.leaf(this.resolveLeaf(plan));
      case "range": {
        const list = `range AS id FROM range(${BigInt(plan.start)}, ${BigInt(plan.end)}, ${BigInt(plan.step)})`;
        const name = this.add(`SELECT ${list}`);
        return { name, ids: ["id"], names: ["id"], types: [{ type: "long", nullable: false }] };
      }
      case "sql":
        return this.sqlQuery(plan);
      case "project":
        return this.project(this.relation(plan.input), plan.columns);
      case "withColumns":
        return this.withColumns(this.relation(plan.input), plan.columns);
      case "rename":
        return this.rename(this.relation(plan.input), plan.names);
      case "drop": {
        const input = this.relation(plan.input);
        const dropped = new Set(plan.names.flatMap((name) => matching(name, input.names)));
        return this.select(
          input,
          columnsOf(input).filter((_, i) => !dropped.has(i)),
        );
      }
      case "filter": {
        const { input, resolve } = this.scope(plan.input, [plan.condition]);
        return this.select(input, columnsOf(input), `WHERE ${conditionSql(plan.condition, resolve)}`);
      }
      case "filterSql": {
        const input = this.relation(plan.input);
        // The line breaks keep a comment at the end of the text from eating the bracket.
        return this.select(input, columnsOf(input), `WHERE (\n${duckdbText(plan.condition)}\n)`);
      }
      case "sample": {
        const input = this.relation(plan.input);
        const numbered = { ...input, name: this.add(rowNumberSql(input)) };
        return { ...input, name: this.add(sampleSql(numbered, plan.fraction, plan.seed)) };
      }
      case "balancedSample": {
        const input = this.relation(plan.input);
        const { index } = resolveName(plan.by, input.names);
        const by = input.ids[index] ?? plan.by;
        const text = castValue({ sql: quotedIdentifier(by), ...typeAt(input, index) }, "string").sql;
        return { ...input, name: this.add(balancedSampleSql(input, by, text, plan.total, plan.seed)) };
      }
      case "limit": {
        const input = this.relation(plan.input);
        return this.select(input, columnsOf(input), `LIMIT ${plan.n}`);
      }
      case "sort": {
        const { input, resolve } = this.scope(
          plan.input,
          plan.orders.map((o) => o.child),
        );
        const keys = plan.orders.map(
          (o) => `${expressionValue(o.child, resolve).sql} ${o.direction.toUpperCase()} NULLS ${o.nulls.toUpperCase()}`,
        );
        return this.select(input, columnsOf(input), `ORDER BY ${keys.join(", ")}`);
      }
      case "aggregate":
        return this.aggregate(plan);
      case "distinct":
        return this.distinct(this.relation(plan.input), plan.columns);
      case "join": {
        const left = this.relation(plan.left);
        const right = this.relation(plan.right);
        const { outputs, from } = joinSql(left, right, plan.on, plan.how);
        return this.emit(outputs, from);
      }
      case "union":
        return this.union(this.relation(plan.left), this.relation(plan.right), plan.byName);
      case "repartition":
        // How rows are cut into tasks is the engine's business; the rows are the same.
        return this.relation(plan.input);
    }
  }

  private leaf({ sql, columns, types }: CompiledQuery): Relation {
    const ids = uniqueIds(columns);
    const list = ids.map(quotedIdentifier).join(", ");
    const isPlain = ids.every((id, i) => id === columns[i]);
    return { name: this.add(isPlain ? sql : `SELECT * FROM (${sql}) AS leaf(${list})`), ids, names: columns, types };
  }

  private sqlQuery(plan: Extract<Plan, { op: "sql" }>): Relation {
    const views = Object.entries(plan.views).map(([name, view]) => {
      const { sql } = compileRelational(view, this.resolveLeaf, this.options);
      return `${quotedIdentifier(name)} AS NOT MATERIALIZED (${sql})`;
    });
    const query = duckdbText(plan.query).replace(/[;\s]+$/, "");
    const sql =
      views.length > 0 ? `WITH ${views.join(",\n")}\nSELECT * FROM (\n${query}\n)` : `SELECT * FROM (\n${query}\n)`;
    const { describeQuery } = this.options;
    if (!describeQuery) throw new UnknownQuerySchema(sql);
    const schema = describeQuery(sql);
    const names = schema.fields.map((field) => field.name);
    const ids = uniqueIds(names);
    // DuckDB has types that Spark has not, such as the HUGEINT of a sum; the cast makes the column what the schema says.
    const list = schema.fields.map((field, i) => {
      const id = quotedIdentifier(ids[i] ?? field.name);
      return `CAST(${id} AS ${duckdbType(field.type)}) AS ${id}`;
    });
    const source = `(${sql}) AS query(${ids.map(quotedIdentifier).join(", ")})`;
    return { name: this.add(`SELECT ${list.join(", ")} FROM ${source}`), ids, names, types: columnTypes(schema) };
  }

  private project(input: Relation, columns: readonly Expression[]): Relation {
    if (columns.some(hasAggregate)) return this.aggregates(input, [], columns);
    const { input: from, resolve } = this.numbered(input, columns);
    const outputs = columns.map((e) => ({ name: resultName(e, input.names), ...expressionValue(e, resolve) }));
    return this.select(from, outputs);
  }

  /** Spark keeps a replaced column's place and takes the new spelling of its name. */
  private withColumns(
    input: Relation,
    columns: readonly { readonly name: string; readonly value: Expression }[],
  ): Relation {
    const { input: from, resolve } = this.numbered(
      input,
      columns.map((c) => c.value),
    );
    const outputs: Output[] = [...columnsOf(input)];
    for (const { name, value } of columns) {
      const output = { name, ...expressionValue(value, resolve) };
      const places = matching(name, input.names);
      for (const place of places) outputs[place] = output;
      if (places.length === 0) outputs.push(output);
    }
    return this.select(from, outputs);
  }

  private rename(input: Relation, names: Readonly<Record<string, string>>): Relation {
    const outputs = [...columnsOf(input)];
    for (const [from, to] of Object.entries(names)) {
      for (const place of matching(from, input.names)) outputs[place] = { ...(outputs[place] as Output), name: to };
    }
    return this.select(input, outputs);
  }

  private aggregate(plan: Extract<Plan, { op: "aggregate" }>): Relation {
    return this.aggregates(this.relation(plan.input), plan.grouping, plan.aggregates);
  }

  private aggregates(input: Relation, grouping: readonly Expression[], aggregates: readonly Expression[]): Relation {
    const columns = [...grouping, ...aggregates];
    const groups = grouping.map(canonical);
    for (const e of aggregates) refuseLooseColumns(e, groups);
    const { input: from, resolve } = this.numbered(input, columns);
    const parts = aggregateParts(grouping, aggregates);
    const found = parts.map((e, i) => ({ name: `part_${i}`, ...expressionValue(unaliased(e), resolve) }));
    const keys = grouping.map((_, i) => i + 1);
    const grouped = this.select(from, found, keys.length > 0 ? `GROUP BY ${keys.join(", ")}` : "");
    // Apart, so that an aggregate that comes twice, or several times in one function's SQL, is computed once.
    return this.select(
      grouped,
      columns.map((e) => ({
        name: resultName(e, input.names),
        ...expressionValue(overParts(e, grouping, parts), resolver(grouped)),
      })),
    );
  }

  private distinct(input: Relation, columns: readonly string[] | undefined): Relation {
    const list = input.ids.map(quotedIdentifier).join(", ");
    if (columns === undefined) return { ...input, name: this.add(`SELECT DISTINCT ${list} FROM ${input.name}`) };
    const resolve = resolver(input);
    const on = columns.map((name) => resolve(name).sql).join(", ");
    // Without columns, every row is a duplicate of the first.
    const sql =
      on === "" ? `SELECT ${list} FROM ${input.name} LIMIT 1` : `SELECT DISTINCT ON (${on}) ${list} FROM ${input.name}`;
    return { ...input, name: this.add(sql) };
  }

  private union(left: Relation, right: Relation, byName: boolean): Relation {
    if (left.names.length !== right.names.length) {
      throw new AnalysisError(
        `union needs the same number of columns on both sides, got ${left.names.length} and ${right.names.length}: ` +
          `${left.names.join(", ")} and ${right.names.join(", ")}.`,
        { remedy: "Select the same columns on both sides first." },
      );
    }
    const rightIds = byName
      ? left.names.map((name) => right.ids[resolveName(`\`${name}\``, right.names).index])
      : right.ids;
    const types = left.types.map((l, i): ColumnType => {
      const r = typeAt(right, right.ids.indexOf(rightIds[i] ?? ""));
      const type = commonType(l.type, r.type);
      if (type !== undefined) return { type, nullable: l.nullable || r.nullable };
      throw new AnalysisError(
        `[INCOMPATIBLE_COLUMN_TYPE] Column ${i + 1} of a union is ${simpleString(l.type)} on one side and ${simpleString(r.type)} on the other.`,
        { remedy: "Cast one of them." },
      );
    });
    const list = (side: Relation, ids: readonly (string | undefined)[]) =>
      ids.map((id = "", i) => {
        const value: Value = { sql: quotedIdentifier(id), ...typeAt(side, side.ids.indexOf(id)) };
        return aliased(castValue(value, types[i]?.type ?? value.type).sql, left.ids[i] ?? id);
      });
    const sql = `SELECT ${list(left, left.ids).join(", ")} FROM ${left.name} UNION ALL SELECT ${list(right, rightIds).join(", ")} FROM ${right.name}`;
    return { ...left, name: this.add(sql), types };
  }

  /** The relation of a plan, and how expressions over it find their columns. */
  private scope(plan: Plan, expressions: readonly Expression[]) {
    return this.numbered(this.relation(plan), expressions);
  }

  /** Adds the rows' numbers where an expression draws random ones. */
  private numbered(input: Relation, expressions: readonly Expression[]): { input: Relation; resolve: ResolveName } {
    const resolve = resolver(input);
    if (!expressions.some(hasRand)) return { input, resolve };
    return { input: { ...input, name: this.add(rowNumberSql(input)) }, resolve };
  }

  private select(input: Relation, outputs: readonly Output[], rest = ""): Relation {
    return this.emit(outputs, `FROM ${input.name}${rest ? ` ${rest}` : ""}`);
  }

  private emit(outputs: readonly Output[], from: string): Relation {
    const names = outputs.map((output) => output.name);
    const ids = uniqueIds(names);
    const list = outputs.map((output, i) => aliased(output.sql, ids[i] ?? output.name));
    // A query has at least one column; a relation without any still has its rows.
    const name = this.add(`SELECT ${list.join(", ") || '1 AS "#none"'} ${from}`);
    return { name, ids, names, types: outputs.map(({ type, nullable }) => ({ type, nullable })) };
  }

  private add(sql: string): string {
    const name = `_${this.steps.length + 1}`;
    // DuckDB would compute a step that is used twice once and keep it in memory whole.
    this.steps.push(`${name} AS NOT MATERIALIZED (${sql})`);
    return name;
  }
}

function columnsOf(relation: Relation): Output[] {
  return relation.ids.map((id, i) => ({
    name: relation.names[i] ?? id,
    sql: quotedIdentifier(id),
    ...typeAt(relation, i),
  }));
}

function typeAt(relation: Relation, index: number): ColumnType {
  return relation.types[index] ?? { type: "void", nullable: true };
}

function aliased(sql: string, id: string): string {
  const alias = quotedIdentifier(id);
  return sql === alias ? sql : `${sql} AS ${alias}`;
}

/** DuckDB does not tell `a` from `A`, and no query step can have two columns of one name. */
function uniqueIds(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let id = name;
    for (let n = 2; taken.has(id.toLowerCase()); n++) id = `${name}#${n}`;
    taken.add(id.toLowerCase());
    return id;
  });
}

function resolver(input: Relation): ResolveName {
  return (name) => {
    const { index, fields } = resolveName(name, input.names);
    const column: Value = { sql: quotedIdentifier(input.ids[index] ?? name), ...typeAt(input, index) };
    return fields.reduce((value, field) => fieldOf(value, field), column);
  };
}

function fieldOf(struct: Value, name: string): Value {
  return expressionValue(
    {
      kind: "call",
      fn: "getitem",
      args: [
        { kind: "column", name: "" },
        { kind: "literal", value: name },
      ],
    },
    () => struct,
  );
}

/** The name a column gets: a plain reference is spelt as the user spells it, and a field is its last part. */
function resultName(expression: Expression, names: readonly string[]): string {
  if (expression.kind === "cast" && expression.child.kind === "column") return resultName(expression.child, names);
  if (expression.kind !== "column" || matching(expression.name, names).length > 0) return outputName(expression);
  return nameParts(expression.name).at(-1) ?? expression.name;
}

function hasRand(expression: Expression): boolean {
  return (expression.kind === "call" && expression.fn === "rand") || childrenOf(expression).some(hasRand);
}
