import { randomUUID } from "node:crypto";
import { type RecordBatch, Table } from "apache-arrow";
import { arrowSchema } from "../data/arrow";
import { type StructType, simpleString } from "../data/types";
import { IllegalArgumentError, throwIfAborted } from "../errors";
import { JUPYTER_DISPLAY, type MimeBundle } from "../kernel/mime-bundle";
import { schemaTree } from "../showing/schema-tree";
import { type ShowFormat, showArguments, showString } from "../showing/show";
import type { ModuleFunction } from "../user-functions";
import { takeBrackets } from "./brackets";
import { Column, columnReference, type SortColumn } from "./column";
import { type DanfoDataFrame, danfoDataFrame, loadDanfo } from "./danfo";
import { frameBundle } from "./frame-bundle";
import { type FrameRdd, frameRdd } from "./frame-rdd";
import { count } from "./functions";
import { checkedSeed, randomSeed } from "./functions/numbers";
import { expressionsOf, GroupedData } from "./grouped-data";
import { type JoinTypeName, joinKeys, joinType } from "./join-types";
import { checkColumns, rememberColumns } from "./known-columns";
import {
  type DropMissingOptions,
  dropMissingPlan,
  type FillValue,
  fillMissingPlan,
  MissingValues,
  replacePlan,
} from "./missing-values";
import type { Expression, Plan, ReplaceValue } from "./plan";
import type {
  AnyRow,
  ColumnName,
  Joined,
  OwnColumnName,
  Renamed,
  RenamedAll,
  Selected,
  With,
  WithAll,
  Without,
} from "./row-types";
import { rowsOf } from "./rows";
import type { Runtime } from "./runtime";
import { type SortArgument, sortOrders } from "./sort-orders";
import { splitBounds } from "./split-bounds";
import { type BatchMapper, defineMapBatches, type MapBatchesOptions } from "./udf";
import { checkedViewName, viewsOf } from "./views";
import { DataFrameWriter } from "./writer";

/** What every action takes. */
export interface ActionOptions {
  /** Stops the work, on other machines too; the action then rejects with `CancelledError`. */
  readonly signal?: AbortSignal;
}

export interface ShowOptions extends ShowFormat, ActionOptions {}

export interface FrameOptions {
  /** Where `show`, `printSchema` and `explain` print. @default console.log */
  readonly print?: (text: string) => void;
}

/**
 * Rows with named, typed columns, computed when an action asks for them: `show`, `count`, `collect`, `write`. Everything
 * else only describes a new DataFrame. `R` is the type of a row where the compiler knows it.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/dataframe.html
 */
// biome-ignore lint/suspicious/noExplicitAny: a parameter of type DataFrame has to take frames of every row type
export class DataFrame<R = any> {
  private plan_: Plan;

  constructor(
    plan: Plan,
    readonly runtime: Runtime,
    private readonly options: FrameOptions = {},
  ) {
    checkColumns(plan);
    this.plan_ = plan.planId === undefined ? { ...plan, planId: nextPlanId++ } : plan;
  }

  /**
   * This frame's own column: tells it from other frames' columns of the same name after a join, in `select`, `filter`,
   * `drop` and all that takes columns. `df["name"]` is the same where no method is called so.
   *
   *     fruits.join(prices, fruits.col("label").eq(prices.col("label"))).drop(prices.col("label"))
   *
   * @param name a column, a field such as `"a.b"`, or `"*"` for all columns
   */
  col<const N extends string>(name: N): Column<N, N extends keyof R ? R[N] : unknown> {
    return new Column(columnReference(name, this.plan_.planId));
  }

  /** What this DataFrame computes, as data. */
  get plan(): Plan {
    return this.plan_;
  }

  /** A DataFrame of another plan on the same session. */
  withPlan<Row = AnyRow>(plan: Plan): DataFrame<Row> {
    return new DataFrame<Row>(plan, this.runtime, this.options);
  }

  // --- Columns ----------------------------------------------------------------------------------------------------

  /**
   * These columns, by name or computed, in this order. `"*"` stands for all, `"a.*"` for the fields of a struct or the columns of
   * an aliased frame.
   * @throws IllegalArgumentError where nothing is named
   */
  select<const C extends readonly (ColumnName<R> | Column)[]>(...columns: C): DataFrame<Selected<R, C[number]>>;
  select<const C extends readonly (ColumnName<R> | Column)[]>(columns: C): DataFrame<Selected<R, C[number]>>;
  select(...columns: readonly unknown[]): unknown {
    const list = columns.flat() as (string | Column)[];
    if (list.length === 0) throw new IllegalArgumentError("select needs at least one column.");
    return this.withPlan({ op: "project", input: this.plan, columns: expressionsOf(list) });
  }

  /**
   * Columns of SQL text: `selectExpr("label", "length / 1024 AS kilobytes")`. The dialect is the relational engine's (DuckDB, or Spark
   * on Spark), as in `session.sql`.
   * @throws IllegalArgumentError where nothing is named
   */
  selectExpr(...expressions: readonly (string | readonly string[])[]): DataFrame<AnyRow> {
    const list = expressions.flat();
    if (list.length === 0) throw new IllegalArgumentError("selectExpr needs at least one expression.");
    const view = "__frame";
    const query = `SELECT ${list.join(",\n")}\nFROM ${view}`;
    return this.withPlan({ op: "sql", dialect: this.runtime.dialect, query, views: { [view]: this.plan } });
  }

  /** One more column, or another value for the column of that name. */
  withColumn<const N extends string, T>(name: N, column: Column<string, T>): DataFrame<With<R, N, T>> {
    return this.withColumns({ [name]: column }) as unknown as DataFrame<With<R, N, T>>;
  }

  /** Several columns at once; all of them see the columns as they were before. */
  withColumns<C extends Readonly<Record<string, Column>>>(columns: C): DataFrame<WithAll<R, C>> {
    const list = Object.entries(columns).map(([name, column]) => ({ name, value: columnValue(name, column) }));
    return this.withPlan({ op: "withColumns", input: this.plan, columns: list });
  }

  /** Another name for a column; no change where there is no such column. */
  withColumnRenamed<const From extends OwnColumnName<R>, const To extends string>(
    existing: From,
    name: To,
  ): DataFrame<Renamed<R, From, To>> {
    return this.withPlan({ op: "rename", input: this.plan, names: { [existing]: name } });
  }

  /** Other names for several columns. */
  withColumnsRenamed<const M extends Readonly<Record<string, string>>>(names: M): DataFrame<RenamedAll<R, M>> {
    return this.withPlan({ op: "rename", input: this.plan, names });
  }

  /** All columns but these; what is not there is left alone, as in Spark. A name takes all columns of that name with it. */
  drop<const N extends string>(...columns: readonly (N | Column<N>)[]): DataFrame<Without<R, N>> {
    const names = columns.filter((c) => typeof c === "string");
    const others = columns.filter((c) => typeof c !== "string").map((c) => c.expression);
    return this.withPlan({
      op: "drop",
      input: this.plan,
      names,
      ...(others.length > 0 ? { columns: others } : {}),
    });
  }

  /** Other names for all columns, in order. */
  toDF<const N extends readonly string[]>(...names: N): DataFrame<Record<N[number], unknown>> {
    return this.withPlan({ op: "toNames", input: this.plan, names });
  }

  /** The same frame under a name, so that its columns are `col("name.column")` too; for joins of a frame with itself. */
  alias(name: string): DataFrame<R> {
    return this.withPlan({ op: "alias", input: this.plan, name });
  }

  // --- Rows -------------------------------------------------------------------------------------------------------

  /** The rows for which a condition holds: a column, or SQL text such as `"length > 1000"`. */
  filter(condition: Column | string): DataFrame<R> {
    if (typeof condition !== "string" && !(condition instanceof Column)) {
      throw new IllegalArgumentError(`filter takes a column or SQL text, not ${String(condition)}.`, {
        remedy: 'Compare with methods: col("label").eq("Kiwi"), since == compares in JavaScript itself.',
      });
    }
    return this.withPlan(
      typeof condition === "string"
        ? { op: "filterSql", input: this.plan, dialect: this.runtime.dialect, condition }
        : { op: "filter", input: this.plan, condition: condition.expression },
    );
  }

  /** Same as {@link DataFrame.filter}. */
  where(condition: Column | string): DataFrame<R> {
    return this.filter(condition);
  }

  /**
   * About this share of the rows, without replacement. The same seed over the same rows gives the same sample, whatever
   * the number of threads.
   * @param fraction from 0 to 1
   * @param seed a whole number. @default drawn when the sample is described
   */
  sample(fraction: number, seed?: number): DataFrame<R>;
  /** PySpark's longer form. @throws IllegalArgumentError with replacement, which no engine here offers */
  sample(withReplacement: boolean, fraction: number, seed?: number): DataFrame<R>;
  sample(first: number | boolean, second?: number, third?: number): DataFrame<R> {
    const [replace, fraction, seed] =
      typeof first === "boolean" ? [first, second, third] : ([false, first, second] as const);
    if (replace) {
      throw new IllegalArgumentError("Sampling with replacement is not supported.", {
        remedy: "Use sample(fraction, seed), which takes each row at most once.",
      });
    }
    if (!(typeof fraction === "number" && fraction >= 0 && fraction <= 1)) {
      throw new IllegalArgumentError(`The fraction ${fraction} is not between 0 and 1.`, {
        remedy: "Give a share of the rows, e.g. sample(0.1, 42).",
      });
    }
    return this.withPlan({ op: "sample", input: this.plan, fraction, seed: checkedSeed(seed ?? randomSeed()) });
  }

  /**
   * The rows dealt out at random, in shares that stand to each other as the weights: each row is in exactly one part.
   * @param seed a whole number; the same seed over the same rows gives the same parts. @default drawn when it is described
   */
  randomSplit(weights: readonly number[], seed: number = randomSeed()): DataFrame<R>[] {
    checkedSeed(seed);
    return splitBounds(weights).map(([lower, fraction]) =>
      this.withPlan<R>({ op: "sample", input: this.plan, lower, fraction, seed }),
    );
  }

  /** The first `n` rows. */
  limit(n: number): DataFrame<R> {
    return this.withPlan({ op: "limit", input: this.plan, n: checkedCount("limit", n, 0) });
  }

  /** The rows without the first `n`. */
  offset(n: number): DataFrame<R> {
    return this.withPlan({ op: "offset", input: this.plan, n: checkedCount("offset", n, 0) });
  }

  /** Sorted rows: names and columns in ascending order, nulls first, unless `desc` or the options say otherwise. */
  orderBy(
    ...columns: readonly (ColumnName<R> | Column | SortColumn | { ascending: boolean | readonly boolean[] })[]
  ): DataFrame<R> {
    const orders = sortOrders(columns as readonly SortArgument[]);
    if (orders.length === 0) throw new IllegalArgumentError("orderBy needs at least one column.");
    return this.withPlan({ op: "sort", input: this.plan, orders });
  }

  /** Same as {@link DataFrame.orderBy}. */
  sort(
    ...columns: readonly (ColumnName<R> | Column | SortColumn | { ascending: boolean | readonly boolean[] })[]
  ): DataFrame<R> {
    return this.orderBy(...columns);
  }

  /** Each different row once. */
  distinct(): DataFrame<R> {
    return this.withPlan({ op: "distinct", input: this.plan });
  }

  /** One row for each combination of values of these columns; without columns, each different row once. */
  dropDuplicates(columns?: readonly OwnColumnName<R>[]): DataFrame<R> {
    return this.withPlan({ op: "distinct", input: this.plan, ...(columns ? { columns } : {}) });
  }

  /** Rows without those that miss a value: null, or NaN in a column of floats. */
  dropna(options: DropMissingOptions = {}): DataFrame<R> {
    return this.withPlan(dropMissingPlan(this.plan, options));
  }

  /**
   * A value where there is none, null or NaN: in the columns of its kind (numbers, texts, booleans), or by column name.
   * @param value `0`, or `{ label: "?", bytes: 0 }`, which becomes the column's type
   */
  fillna(value: FillValue | Readonly<Record<string, FillValue>>, subset?: string | readonly string[]): DataFrame<R> {
    return this.withPlan(fillMissingPlan(this.plan, value, subset));
  }

  /**
   * Other values for some, in the columns of their kind: `replace("Aple", "Apple")`, `replace([1, 2], [10, 20])`, or a `Map`.
   * @param to null, or absent, makes them null
   */
  replace(
    from: ReplaceValue | readonly ReplaceValue[] | ReadonlyMap<ReplaceValue, ReplaceValue>,
    to?: ReplaceValue | readonly ReplaceValue[],
    subset?: string | readonly string[],
  ): DataFrame<R> {
    return this.withPlan(replacePlan(this.plan, from, to, subset));
  }

  /** `dropna`, `fillna` and `replace` under PySpark's other name for them. */
  get na(): MissingValues<R> {
    return new MissingValues(this);
  }

  /** Count, mean, standard deviation, least and greatest value of columns of numbers and text, as text. Default: all such. */
  describe(
    ...columns: readonly (string | readonly string[])[]
  ): DataFrame<{ summary: string } & Record<string, string>> {
    const names = columns.flat();
    const statistics = ["count", "mean", "stddev", "min", "max"];
    return this.withPlan({
      op: "summary",
      input: this.plan,
      ...(names.length > 0 ? { columns: names } : {}),
      statistics,
    });
  }

  /** Statistics of all columns of numbers and text, as text. @param statistics also shares such as `25%`, and `count_distinct` */
  summary(...statistics: readonly string[]): DataFrame<{ summary: string } & Record<string, string>> {
    const usual = ["count", "mean", "stddev", "min", "25%", "50%", "75%", "max"];
    const wanted = statistics.length > 0 ? statistics : usual;
    return this.withPlan({ op: "summary", input: this.plan, statistics: wanted });
  }

  // --- Groups and other frames ------------------------------------------------------------------------------------

  /** Groups rows by names or columns; `agg`, `count` and the like make one row of each group. */
  groupBy<const C extends readonly (ColumnName<R> | Column)[]>(...columns: C): GroupedData<R, Selected<R, C[number]>>;
  groupBy<const C extends readonly (ColumnName<R> | Column)[]>(columns: C): GroupedData<R, Selected<R, C[number]>>;
  groupBy(...columns: readonly unknown[]): unknown {
    return new GroupedData(this, expressionsOf(columns.flat() as (string | Column)[]));
  }

  /** Aggregates over all rows: one row. Also by names, `agg({ length: "max" })`. */
  agg<const C extends readonly [Column, ...Column[]]>(...aggregates: C): DataFrame<Selected<R, C[number]>>;
  agg(aggregates: Readonly<Record<string, string>>): DataFrame<AnyRow>;
  agg(...aggregates: readonly unknown[]): unknown {
    return new GroupedData<R, unknown>(this, []).agg(...(aggregates as [Column]));
  }

  /**
   * Joins on columns that both sides have, of which each appears once, first; or on a condition, or several that all have to
   * hold, where both sides' columns appear. Without either, every row goes with every row. Null equals nothing.
   *
   *     fruits.join(prices, "label", "left")
   *     fruits.join(prices, fruits.col("label").eq(prices.col("name")))
   *
   * @param how `inner`, `left`, `right`, `full`, `semi`, `anti`, `cross` or one of Spark's longer names. @default "inner"
   */
  join<Other>(
    other: DataFrame<Other>,
    on?: OwnColumnName<R> | readonly OwnColumnName<R>[] | Column | readonly Column[],
    how: JoinTypeName | (string & {}) = "inner",
  ): DataFrame<Joined<R, Other>> {
    const type = joinType(how);
    return this.withPlan({ op: "join", left: this.plan, right: other.plan, ...joinKeys(on), how: type });
  }

  /** Every row of this with every row of the other. */
  crossJoin<Other>(other: DataFrame<Other>): DataFrame<Joined<R, Other>> {
    return this.withPlan({ op: "join", left: this.plan, right: other.plan, on: [], how: "cross" });
  }

  /** The rows of both, columns matched by position, their types widened; duplicates stay. */
  union(other: DataFrame): DataFrame<R> {
    return this.withPlan({ op: "union", left: this.plan, right: other.plan, byName: false });
  }

  /** Same as {@link DataFrame.union}. */
  unionAll(other: DataFrame): DataFrame<R> {
    return this.union(other);
  }

  /**
   * The rows of both, columns matched by name; duplicates stay.
   * @param options `allowMissingColumns`: a column that one side lacks is null there. @default false
   */
  unionByName(other: DataFrame, options: { readonly allowMissingColumns?: boolean } = {}): DataFrame<R> {
    const allowMissing = options.allowMissingColumns ?? false;
    return this.withPlan({ op: "union", left: this.plan, right: other.plan, byName: true, allowMissing });
  }

  /** The different rows that are in both. */
  intersect(other: DataFrame): DataFrame<R> {
    return this.withPlan({ op: "intersect", left: this.plan, right: other.plan, all: false });
  }

  /** The rows that are in both, each as often as in the one that has it less often. */
  intersectAll(other: DataFrame): DataFrame<R> {
    return this.withPlan({ op: "intersect", left: this.plan, right: other.plan, all: true });
  }

  /** The different rows of this that are not in the other. */
  subtract(other: DataFrame): DataFrame<R> {
    return this.withPlan({ op: "except", left: this.plan, right: other.plan, all: false });
  }

  /** The rows of this without those of the other: each of the other's takes one away. */
  exceptAll(other: DataFrame): DataFrame<R> {
    return this.withPlan({ op: "except", left: this.plan, right: other.plan, all: true });
  }

  // --- How the work is cut and kept -------------------------------------------------------------------------------

  /** Cuts the rows into `n` partitions: so many tasks, and so many files where it is written. */
  repartition(n: number): DataFrame<R> {
    const partitions = checkedCount("repartition", n, 1);
    return this.withPlan({ op: "repartition", input: this.plan, partitions, shuffle: true });
  }

  /** At most `n` partitions, without moving rows. */
  coalesce(n: number): DataFrame<R> {
    const partitions = checkedCount("coalesce", n, 1);
    return this.withPlan({ op: "repartition", input: this.plan, partitions, shuffle: false });
  }

  /**
   * Keeps the rows once they are computed, for this DataFrame and those made from it afterwards. Gives the same object,
   * as PySpark does.
   */
  cache(): this {
    if (this.plan_.op !== "cached") {
      this.plan_ = { op: "cached", id: randomUUID(), input: this.plan_, planId: nextPlanId++ };
    }
    return this;
  }

  /** Same as {@link DataFrame.cache}. */
  persist(): this {
    return this.cache();
  }

  /** Forgets the kept rows; they are computed again when needed. */
  async unpersist(): Promise<this> {
    const plan = this.plan_;
    if (plan.op === "cached") {
      this.plan_ = plan.input;
      await this.runtime.unpersist(plan.id);
    }
    return this;
  }

  /**
   * Passes the rows in batches through a function on the workers; see `MapBatchesOptions` for what it may use.
   * @param fn gets `{ column: values[] }` and returns the same form, with the columns that `schema` names
   * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.DataFrame.mapInPandas.html
   */
  mapBatches<Row = AnyRow>(fn: BatchMapper | ModuleFunction, options: MapBatchesOptions): DataFrame<Row> {
    return this.withPlan<Row>({ op: "mapBatches", input: this.plan, ...defineMapBatches(fn, options) });
  }

  /** `fn(this)`, to keep a chain of calls in one piece. */
  transform<Out>(fn: (df: this) => Out): Out {
    return fn(this);
  }

  /** Names this DataFrame for `session.sql` and `%%sql`; a view of that name is replaced. */
  createOrReplaceTempView(name: string): void {
    viewsOf(this.runtime).set(checkedViewName(name), this.plan);
  }

  /** Same as {@link DataFrame.createOrReplaceTempView}, and an error where the name is taken. @throws IllegalArgumentError */
  createTempView(name: string): void {
    if (viewsOf(this.runtime).has(checkedViewName(name))) {
      throw new IllegalArgumentError(`[TEMP_TABLE_OR_VIEW_ALREADY_EXISTS] There is a view \`${name}\` already.`, {
        remedy: "Use createOrReplaceTempView, or session.dropTempView(name) before.",
      });
    }
    this.createOrReplaceTempView(name);
  }

  // --- Actions ----------------------------------------------------------------------------------------------------

  /** The columns and their types. @throws UnresolvedColumnError for a column that does not exist */
  async schema(options: ActionOptions = {}): Promise<StructType> {
    const { plan } = this;
    const schema = await this.runtime.schema(plan, options.signal);
    rememberColumns(
      plan,
      schema.fields.map((field) => field.name),
    );
    return schema;
  }

  /** The columns' names. */
  async columns(options: ActionOptions = {}): Promise<string[]> {
    return (await this.schema(options)).fields.map((field) => field.name);
  }

  /** Names and types, as Spark writes them: `[["path", "string"], ["length", "bigint"]]`. */
  async dtypes(options: ActionOptions = {}): Promise<[name: string, type: string][]> {
    return (await this.schema(options)).fields.map(({ name, type }) => [name, simpleString(type)]);
  }

  /** Prints the schema as Spark does. @param level how deep; 0 or less for all of it. @default all */
  async printSchema(level: number | null | ActionOptions = 0, options: ActionOptions = {}): Promise<void> {
    const [depth, given] = typeof level === "object" && level !== null ? [0, level] : [level ?? 0, options];
    this.print(schemaTree(await this.schema(given), depth));
  }

  /** Prints how the work would be done. */
  async explain(options: ActionOptions = {}): Promise<void> {
    this.print(await this.runtime.explain(this.plan, options.signal));
  }

  /**
   * Prints the first `n` rows as Spark does: `show(5)`, `show(5, false)`, `show({ truncate: 30, vertical: true })`.
   * @param n @default 20
   * @param truncate the most characters of a value; `false` for all of them, `true` for 20. @default true
   * @param vertical one line for each value. @default false
   */
  show(n?: number, truncate?: boolean | number, vertical?: boolean): Promise<void>;
  show(n: number, options: ShowOptions): Promise<void>;
  show(options: ShowOptions): Promise<void>;
  async show(...given: readonly unknown[]): Promise<void> {
    const { n, ...options } = showArguments(given);
    this.print(await this.showString(n, options));
  }

  /** The text that {@link DataFrame.show} prints, with a line break at the end. */
  async showString(n = 20, options: ShowOptions = {}): Promise<string> {
    const rows = Math.max(0, n);
    const schema = await this.schema(options);
    const batches = await this.limit(rows + 1).batches(options);
    return showString(schema, batches, rows, options);
  }

  /** The number of rows. */
  async count(options: ActionOptions = {}): Promise<number> {
    const [row] = await this.agg(count("*").alias("count")).collect(options);
    return Number(row?.count ?? 0);
  }

  /** True where there is no row. */
  async isEmpty(options: ActionOptions = {}): Promise<boolean> {
    return (await this.limit(1).batches(options)).length === 0;
  }

  /**
   * All rows as objects. A `long` is a number where it is exact, else a bigint; an array of floats without nulls is a
   * `Float32Array`.
   * @throws DuplicateColumnError where two columns have one name, which an object holds once
   */
  async collect(options: ActionOptions = {}): Promise<R[]> {
    return (await this.batches(options)).flatMap((batch) => rowsOf<R>(batch));
  }

  /** The first `n` rows as objects. */
  take(n: number, options: ActionOptions = {}): Promise<R[]> {
    return this.limit(n).collect(options);
  }

  /** The first row, or null where there is none. */
  async first(options: ActionOptions = {}): Promise<R | null> {
    return (await this.take(1, options))[0] ?? null;
  }

  /** The first row, or with `n`, the first `n` rows. */
  head(): Promise<R | null>;
  head(n: number, options?: ActionOptions): Promise<R[]>;
  head(n?: number, options: ActionOptions = {}): Promise<R[] | R | null> {
    return n === undefined ? this.first(options) : this.take(n, options);
  }

  /** The last `n` rows as objects. */
  async tail(n: number, options: ActionOptions = {}): Promise<R[]> {
    const wanted = checkedCount("tail", n, 0);
    let rows: R[] = [];
    for await (const batch of this.stream(options)) {
      rows.push(...rowsOf<R>(batch));
      if (rows.length > wanted) rows = rows.slice(rows.length - wanted);
    }
    return rows;
  }

  /** Row after row, with memory for a batch of them: `for await (const row of df.toLocalIterator())`, or just `of df`. */
  async *toLocalIterator(options: ActionOptions = {}): AsyncGenerator<R, void, undefined> {
    for await (const batch of this.stream(options)) yield* rowsOf<R>(batch);
  }

  /** Same as {@link DataFrame.toLocalIterator}. */
  [Symbol.asyncIterator](): AsyncGenerator<R, void, undefined> {
    return this.toLocalIterator();
  }

  /** All rows as an Apache Arrow table; columns of one name stand side by side. */
  async toArrow(options: ActionOptions = {}): Promise<Table> {
    const batches = await this.batches(options);
    return batches.length > 0 ? new Table(batches) : new Table(arrowSchema(await this.schema(options)));
  }

  /**
   * All rows as a Danfo.js DataFrame. Needs the package danfojs-node, which is installed beside this one where it is wanted.
   * @throws OptionalPackageError where it is not
   * @see https://danfo.jsdata.org/
   */
  async toDanfo(options: ActionOptions = {}): Promise<DanfoDataFrame> {
    // First, so that nothing runs for a result that can't be given.
    const danfo = loadDanfo();
    const schema = await this.schema(options);
    return danfoDataFrame(danfo, schema, await this.batches(options));
  }

  /** Same as {@link DataFrame.toDanfo}: Danfo.js is what JavaScript has in pandas' place. */
  toPandas(options: ActionOptions = {}): Promise<DanfoDataFrame> {
    return this.toDanfo(options);
  }

  /** Only `rdd.getNumPartitions()`, which has to be awaited; all else fails, with the way here. */
  get rdd(): FrameRdd & AnyRow {
    return frameRdd(this.plan, this.runtime);
  }

  /** Writes the rows to files. */
  get write(): DataFrameWriter {
    return new DataFrameWriter(this.plan, this.runtime);
  }

  // --- How --------------------------------------------------------------------------------------------------------

  private async batches({ signal }: ActionOptions): Promise<RecordBatch[]> {
    throwIfAborted(signal);
    const batches: RecordBatch[] = [];
    for await (const batch of this.stream(signal ? { signal } : {})) batches.push(batch);
    return batches;
  }

  private async *stream({ signal }: ActionOptions): AsyncGenerator<RecordBatch, void, undefined> {
    throwIfAborted(signal);
    for await (const batch of this.runtime.execute(this.plan, signal)) if (batch.numRows > 0) yield batch;
  }

  /** What a cell, a debugger or console.log shows: a DataFrame is lazy, so not its rows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `DataFrame (${this.plan.op}; lazy: await show(), printSchema() or collect() to see it)`;
  }

  /**
   * What a notebook shows for it: its first rows, as the settings `spark.sql.repl.eagerEval.*` say; where they switch that off,
   * its columns.
   */
  [JUPYTER_DISPLAY](): Promise<MimeBundle> {
    return frameBundle(this);
  }

  private print(text: string): void {
    (this.options.print ?? console.log)(text);
  }
}

takeBrackets(DataFrame.prototype);

/** Tells frames apart in plans. */
let nextPlanId = 1;

function columnValue(name: string, column: unknown): Expression {
  if (!(column instanceof Column)) {
    throw new IllegalArgumentError(`The value of column ${JSON.stringify(name)} is not a column.`, {
      remedy: "Wrap a constant in lit(), and name another column with col().",
    });
  }
  const { expression } = column;
  return expression.kind === "alias" ? expression.child : expression;
}

function checkedCount(method: string, n: number, least: number): number {
  if (Number.isSafeInteger(n) && n >= least) return n;
  throw new IllegalArgumentError(`${method} needs a whole number of at least ${least}, got ${n}.`);
}
