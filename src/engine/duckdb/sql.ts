import type { DataType, StructType } from "../../data/types";
import { commonType } from "../../frame/coercion";
import { unaliased } from "../../frame/column";
import { childrenOf } from "../../frame/expressions";
import { INDEX, type Value } from "../../frame/function-entry";
import type { Expression } from "../../frame/plan";
import { requestedPartitions } from "../pipeline";
import { type Computed, columnsOf, type Relation } from "../relation";
import { duckdbType } from "./duckdb-types";
import { aggregateParts, overParts } from "./sql-aggregates";
import { castValue } from "./sql-cast";
import { conditionSql, expressionValue } from "./sql-expression";
import { apartFromFooter, groupKey, sortKey } from "./sql-floats";
import { querySql } from "./sql-query";
import { balancedSampleSql, type Named, rowIdSql, rowNumberSql, sampleSql } from "./sql-sample";
import { quotedIdentifier } from "./sql-text";

/** The relations that the compiler asks for instead of compiling them. */
export type LeafRelation = Extract<Relation, { op: "leaf" | "stage" }>;

/** What a column holds. */
export interface ColumnType {
  readonly type: DataType;
  readonly nullable: boolean;
}

/** SQL for the rows of a leaf; its columns are those of the leaf by position. */
export interface LeafSql {
  readonly sql: string;
  readonly schema: StructType;
}

/**
 * Compiles a relation to one DuckDB query with Spark's meaning, whose columns are the relation's ids. The database has to know
 * the macros in {@link PRELUDE}. Nothing is read and nothing runs.
 * @param resolveLeaf SQL for a source, or for a stage's output
 * @throws AnalysisError
 */
export function compileRelational(relation: Relation, resolveLeaf: (leaf: LeafRelation) => LeafSql): string {
  const compiler = new Compiler(resolveLeaf);
  return compiler.query(compiler.step(relation));
}

/** What the columns of that query hold, and whether it may be null, as Spark says it. */
export function columnTypes(relation: Relation, resolveLeaf: (leaf: LeafRelation) => LeafSql): readonly ColumnType[] {
  return new Compiler(resolveLeaf).step(relation).types;
}

/** The SQL of each view. @param narrowed all columns of those that have only some */
export function viewsSql(
  views: Readonly<Record<string, Relation>>,
  narrowed: Readonly<Record<string, StructType>>,
  resolveLeaf: (leaf: LeafRelation) => LeafSql,
): Record<string, string> {
  const withNulls = (sql: string, schema: StructType | undefined, ids: readonly string[]) => {
    const list = schema?.fields.map(({ name, type }) =>
      ids.includes(name) ? quotedIdentifier(name) : nullAs(name, type),
    );
    return list ? `SELECT ${list.join(", ")} FROM (${sql})` : sql;
  };
  return Object.fromEntries(
    Object.entries(views).map(([name, view]) => {
      return [name, withNulls(compileRelational(view, resolveLeaf), narrowed[name], columnsOf(view))] as const;
    }),
  );
}

function nullAs(name: string, type: DataType): string {
  return `CAST(NULL AS ${duckdbType(type)}) AS ${quotedIdentifier(name)}`;
}

/** Names for columns of which none comes twice, for DuckDB, which does not tell `a` from `A`, and for files. */
export function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let id = name;
    for (let n = 2; taken.has(id.toLowerCase()); n++) id = `${name}#${n}`;
    taken.add(id.toLowerCase());
    return id;
  });
}

/** A step of the query: a common table expression. */
interface Step extends Named {
  /** One for each id. */
  readonly types: readonly ColumnType[];
}

/** One output column of a step. */
interface Output extends ColumnType {
  readonly id: string;
  readonly sql: string;
}

class Compiler {
  private readonly steps: string[] = [];

  constructor(private readonly resolveLeaf: (leaf: LeafRelation) => LeafSql) {}

  query({ name, ids }: Named): string {
    const list = ids.map(quotedIdentifier).join(", ");
    return `WITH ${this.steps.join(",\n")}\nSELECT ${list || '1 AS "__none"'} FROM ${name}`;
  }

  step(relation: Relation): Step {
    switch (relation.op) {
      case "leaf":
      case "stage":
        return this.leaf(relation);
      case "range": {
        const { start, end, step } = relation;
        const ids = [relation.column];
        const range = `range(${BigInt(start)}, ${BigInt(end)}, ${BigInt(step)})`;
        const name = this.add(`SELECT range AS ${quotedIdentifier(relation.column)} FROM ${range}`);
        return { name, ids, types: [{ type: "long", nullable: false }] };
      }
      case "sql":
        return this.sqlQuery(relation);
      case "project":
        return this.select(this.numbered(relation.input, relation.columns), relation.columns);
      case "extend": {
        const input = this.numbered(relation.input, relation.columns);
        return this.emit([...outputsOf(input), ...computed(relation.columns, input)], `FROM ${input.name}`);
      }
      case "filter": {
        const input = this.numbered(relation.input, [{ value: relation.condition }]);
        return this.pass(input, `WHERE ${conditionSql(relation.condition, resolver(input))}`);
      }
      case "sample": {
        const input = this.step(relation.input);
        const numbered = { ...input, name: this.add(rowNumberSql(input, relation.place)) };
        return { ...input, name: this.add(sampleSql(numbered, relation.bounds, relation.seed)) };
      }
      case "balancedSample": {
        const input = this.step(relation.input);
        const byText = castValue(resolver(input)(relation.by), "string").sql;
        return { ...input, name: this.add(balancedSampleSql(input, { ...relation, byText })) };
      }
      case "generate":
        return this.generate(relation);
      case "limit":
        return this.pass(this.step(relation.input), `LIMIT ${relation.n}`);
      case "offset":
        return this.pass(this.step(relation.input), `OFFSET ${relation.n}`);
      case "sort": {
        const keys = relation.orders.map((o) => ({ value: o.child }));
        const input = this.numbered(relation.input, keys);
        const orders = relation.orders.map(({ child, direction, nulls }) => {
          const { sql, type } = expressionValue(child, resolver(input));
          return `${sortKey(sql, type)} ${direction.toUpperCase()} NULLS ${nulls.toUpperCase()}`;
        });
        return this.pass(input, `ORDER BY ${orders.join(", ")}`);
      }
      case "aggregate":
        return this.aggregate(relation);
      case "distinct":
        return this.distinct(this.step(relation.input), relation.on);
      case "join":
        return this.join(relation);
      case "set":
        return this.set(relation);
      case "repartition":
        // How rows are cut into tasks is the engine's business; the rows are the same.
        return this.step(relation.input);
      case "mapBatches":
        throw new Error("A batch function cannot run inside a query.");
    }
  }

  private leaf(leaf: LeafRelation): Step {
    const { sql, schema } = this.resolveLeaf(leaf);
    const ids = leaf.columns;
    const isPlain = ids.length === schema.fields.length && ids.every((id, i) => id === schema.fields[i]?.name);
    const list = ids.map(quotedIdentifier).join(", ");
    const types = typesOf(schema);
    const shown = ids.map((id, i) => apartFromFooter(quotedIdentifier(id), typeAt(types, i).type));
    const hasFloats = shown.some((column, i) => column !== quotedIdentifier(ids[i] ?? ""));
    const columns = hasFloats
      ? shown.map((column, i) => `${column} AS ${quotedIdentifier(ids[i] ?? "")}`).join(", ")
      : "*";
    const name = this.add(isPlain && !hasFloats ? sql : `SELECT ${columns} FROM (${sql}) AS leaf(${list})`);
    return { name, ids, types };
  }

  private sqlQuery(relation: Extract<Relation, { op: "sql" }>): Step {
    const { query, views, narrowed = {}, schema, columns, unread = [] } = relation;
    // DuckDB has types that Spark has not, such as the HUGEINT of a sum; the cast makes the column what the schema says.
    const list = schema.fields.map((field, i) => {
      const id = quotedIdentifier(columns[i] ?? field.name);
      if (unread.includes(columns[i] ?? "")) return nullAs(columns[i] ?? "", field.type);
      return `CAST(${id} AS ${duckdbType(field.type)}) AS ${id}`;
    });
    const source = `(${querySql(query, viewsSql(views, narrowed, this.resolveLeaf))}) AS query(${columns.map(quotedIdentifier).join(", ")})`;
    return { name: this.add(`SELECT ${list.join(", ")} FROM ${source}`), ids: columns, types: typesOf(schema) };
  }

  private generate({ input, value, outer, position, columns }: Extract<Relation, { op: "generate" }>): Step {
    const from = this.numbered(input, [{ value }]);
    const { sql, type } = expressionValue(value, resolver(from));
    const all = quotedIdentifier("#all");
    const passed = from.ids.map(quotedIdentifier);
    // Apart, so that what the elements come from is computed once.
    const name = this.add(`SELECT ${[...passed, `${sql} AS ${all}`].join(", ")} FROM ${from.name}`);
    const isMap = typeof type === "object" && type.type === "map";
    const count = isMap ? `cardinality(${all})` : `len(${all})`;
    const elements = (list: string) =>
      `unnest(${outer ? `CASE WHEN ${count} > 0 THEN ${list} ELSE [NULL] END` : list})`;
    const lists = isMap ? [`map_keys(${all})`, `map_values(${all})`] : [all];
    const made: Output[] = elementTypes(type).map((each, i) => ({
      id: columns[i] ?? "",
      sql: elements(lists[i] ?? all),
      type: each.type,
      nullable: each.nullable || outer,
    }));
    const place = `list_transform(range(CAST(${count} AS BIGINT)), lambda ${INDEX}: CAST(${INDEX} AS INTEGER))`;
    const places: Output[] =
      position === undefined ? [] : [{ id: position, sql: elements(place), type: "integer", nullable: outer }];
    return this.emit([...outputsOf(from), ...places, ...made], `FROM ${name}`);
  }

  private aggregate({ input, grouping, aggregates }: Extract<Relation, { op: "aggregate" }>): Step {
    const keys = grouping.map((c) => c.value);
    const results = aggregates.map((c) => c.value);
    const from = this.numbered(input, [...grouping, ...aggregates]);
    const parts = aggregateParts(keys, results);
    const found = parts.map((value, i): Output => {
      const part = expressionValue(unaliased(value), resolver(from));
      return { ...part, id: `part_${i}`, sql: i < keys.length ? groupKey(part.sql, part.type) : part.sql };
    });
    const grouped = this.emit(
      found,
      `FROM ${from.name}${keys.length > 0 ? ` GROUP BY ${keys.map((_, i) => i + 1).join(", ")}` : ""}`,
    );
    // Apart, so that an aggregate that comes twice, or several times in one function's SQL, is computed once.
    return this.select(
      grouped,
      [...grouping, ...aggregates].map(({ id, value }) => ({ id, value: overParts(value, keys, parts) })),
    );
  }

  private distinct(input: Step, on: readonly string[] | undefined): Step {
    const isKey = (id: string) => on === undefined || on.includes(id);
    const columns = input.ids.map((id, i) => {
      const column = quotedIdentifier(id);
      return isKey(id) ? `${groupKey(column, typeAt(input.types, i).type)} AS ${column}` : column;
    });
    const list = columns.join(", ") || '1 AS "#none"';
    if (on === undefined) return { ...input, name: this.add(`SELECT DISTINCT ${list} FROM ${input.name}`) };
    const resolve = resolver(input);
    const keys = on.map((id) => groupKey(resolve(id).sql, resolve(id).type)).join(", ");
    // Without columns, every row is a duplicate of the first.
    const sql =
      keys === ""
        ? `SELECT ${list} FROM ${input.name} LIMIT 1`
        : `SELECT DISTINCT ON (${keys}) ${list} FROM ${input.name}`;
    return { ...input, name: this.add(sql) };
  }

  private join(relation: Extract<Relation, { op: "join" }>): Step {
    const { how, condition } = relation;
    const left = this.step(relation.left);
    const right = this.step(relation.right);
    // The side that may have no match gives nulls.
    const side = (step: Step, mayMiss: boolean) =>
      outputsOf(step).map((output) => ({ ...output, nullable: output.nullable || mayMiss }));
    const outputs = [
      ...side(left, how === "right" || how === "full"),
      ...(how === "semi" || how === "anti" ? [] : side(right, how === "left" || how === "full")),
    ];
    if (how === "cross") return this.emit(outputs, `FROM ${left.name} CROSS JOIN ${right.name}`);
    const both = resolver({ ids: [...left.ids, ...right.ids], types: [...left.types, ...right.types] });
    const on = condition === undefined ? "TRUE" : conditionSql(condition, both);
    return this.emit(outputs, `FROM ${left.name} ${how.toUpperCase()} JOIN ${right.name} ON ${on}`);
  }

  /** The types of both sides are the same by now. */
  private set(relation: Extract<Relation, { op: "set" }>): Step {
    const left = this.step(relation.left);
    const right = this.step(relation.right);
    const list = ({ ids, name }: Step) =>
      `SELECT ${ids.map(quotedIdentifier).join(", ") || '1 AS "#none"'} FROM ${name}`;
    const operator = `${relation.kind.toUpperCase()}${relation.all ? " ALL" : ""}`;
    const types = left.types.map(({ type, nullable }, i) => {
      const other = typeAt(right.types, i);
      return { type: commonType(type, other.type) ?? type, nullable: nullable || other.nullable };
    });
    return { name: this.add(`${list(left)} ${operator} ${list(right)}`), ids: left.ids, types };
  }

  /** The relation's rows, with their numbers where an expression draws random ones, and with ids where one asks for these. */
  private numbered(relation: Relation, expressions: readonly { readonly value: Expression }[]): Step {
    const input = this.step(relation);
    const found = (fn: string) => expressions.flatMap(({ value }) => callOf(fn, value) ?? [])[0];
    const draw = found("rand");
    const place = draw?.args[1];
    const by = place?.kind === "column" ? place.name : undefined;
    const drawn = draw ? { ...input, name: this.add(rowNumberSql(input, by)) } : input;
    if (!found("monotonically_increasing_id")) return drawn;
    const partitions = requestedPartitions(relation)?.partitions ?? 1;
    return { ...drawn, name: this.add(rowIdSql(drawn, partitions)) };
  }

  private select(input: Step, columns: readonly Computed[], rest = ""): Step {
    return this.emit(computed(columns, input), `FROM ${input.name}${rest ? ` ${rest}` : ""}`);
  }

  private pass(input: Step, rest: string): Step {
    return this.emit(outputsOf(input), `FROM ${input.name} ${rest}`);
  }

  private emit(outputs: readonly Output[], from: string): Step {
    const list = outputs.map(({ id, sql }) => {
      const name = quotedIdentifier(id);
      return sql === name ? sql : `${sql} AS ${name}`;
    });
    // A query has at least one column; a relation without any still has its rows.
    const name = this.add(`SELECT ${list.join(", ") || '1 AS "#none"'} ${from}`);
    return { name, ids: outputs.map((o) => o.id), types: outputs.map(({ type, nullable }) => ({ type, nullable })) };
  }

  private add(sql: string): string {
    const name = `_${this.steps.length + 1}`;
    // DuckDB would compute a step that is used twice once and keep it in memory whole.
    this.steps.push(`${name} AS NOT MATERIALIZED (${sql})`);
    return name;
  }
}

/** What the elements of an array or the keys and values of a map are. */
function elementTypes(type: DataType): ColumnType[] {
  if (typeof type === "string" || type.type === "struct") return [];
  return type.type === "array"
    ? [{ type: type.elementType, nullable: type.containsNull }]
    : [
        { type: type.keyType, nullable: false },
        { type: type.valueType, nullable: type.valueContainsNull },
      ];
}

function typesOf(schema: StructType): ColumnType[] {
  return schema.fields.map(({ type, nullable }) => ({ type, nullable }));
}

function outputsOf({ ids, types }: Step): Output[] {
  return ids.map((id, i) => ({ id, sql: quotedIdentifier(id), ...typeAt(types, i) }));
}

function computed(columns: readonly Computed[], input: Step): Output[] {
  const resolve = resolver(input);
  return columns.map(({ id, value }) => ({ id, ...expressionValue(value, resolve) }));
}

function resolver({ ids, types }: Pick<Step, "ids" | "types">): (id: string) => Value {
  const places = new Map(ids.map((id, i) => [id, i]));
  return (id) => ({ sql: quotedIdentifier(id), ...typeAt(types, places.get(id) ?? -1) });
}

function typeAt(types: readonly ColumnType[], index: number): ColumnType {
  return types[index] ?? { type: "void", nullable: true };
}

type Call = Extract<Expression, { kind: "call" }>;

/** A call of this function in an expression. */
function callOf(fn: string, expression: Expression): Call | undefined {
  if (expression.kind === "call" && expression.fn === fn) return expression;
  for (const child of childrenOf(expression)) {
    const found = callOf(fn, child);
    if (found) return found;
  }
  return undefined;
}
