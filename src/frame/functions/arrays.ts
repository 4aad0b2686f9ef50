import { arrayType, type DataType, simpleString, structField } from "../../data/types";
import { IllegalArgumentError } from "../../errors";
import { AnalysisError } from "../analysis-error";
import { commonType, commonTypeOf, implicitCast, isArray, isFloating, isMap } from "../coercion";
import { type Column, type ColumnOrLiteral, columnReference, literal, operand } from "../column";
import {
  type Argument,
  asCast,
  constantOf,
  define,
  defineMacro,
  differentTypes,
  ELEMENT,
  type FunctionEntry,
  INDEX,
  takes,
} from "../function-entry";
import { type Expression, outputName } from "../plan";
import { type ColumnOrName, call, named } from "./call";
import { mapKey } from "./operators";

/**
 * An array's element, counted from 1, or from the end where negative; or a map's value. An index outside the array is an
 * error, as in Spark 4.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.element_at.html
 */
export function elementAt<C extends ColumnOrName>(column: C, index: number | string): Column<string, ElementOf<C>> {
  return call("element_at", named(column), literal(index));
}

/** What an array column's elements are. */
export type ElementOf<C> =
  C extends Column<string, infer T>
    ? T extends readonly (infer E)[]
      ? E
      : T extends Float32Array | Float64Array
        ? number
        : unknown
    : unknown;

define(
  "element_at",
  ([container, key]) => {
    if (!container || !key) throw new AnalysisError("element_at needs an index.");
    const { type } = container;
    if (isMap(type)) return { args: [type, mapKey(type.keyType, key)], returns: type.valueType, nullable: true };
    const index = implicitCast(key.type, "integer");
    if (!isArray(type) || !index || key.type === "string") throw unexpected(container, "an array or a map");
    return { args: [type, index], returns: type.elementType, nullable: true };
  },
  (container, key) => (isMap(container.type) ? `${container}[${key}]` : `spark_element_at(${container}, ${key})`),
);
defineMacro(
  "spark_element_at",
  "x, i",
  `CASE WHEN i = 0 AND x IS NOT NULL THEN error('[INVALID_INDEX_OF_ZERO] The index 0 is invalid. An index counts from 1, or from the end from -1.')
    WHEN abs(i) > len(x) THEN error('[INVALID_ARRAY_INDEX_IN_ELEMENT_AT] The index ' || i || ' is out of bounds. The array has ' || len(x) || ' elements.')
    ELSE x[i] END`,
);

/**
 * How many elements an array or a map has.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.size.html
 */
export function size(column: ColumnOrName): Column<string, number> {
  return call("size", named(column));
}
define("size", takes([["array", "map"]], "integer"), (x) =>
  isMap(x.type) ? `CAST(cardinality(${x}) AS INTEGER)` : `CAST(len(${x}) AS INTEGER)`,
);

/**
 * An array of columns.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.array.html
 */
export function array(...columns: readonly ColumnOrName[]): Column<string, unknown[]> {
  return call("array", ...columns.map(named));
}
define(
  "array",
  (args) => {
    const type = commonTypeOf(args.map((a) => a.type));
    if (type === undefined) throw differentTypes(args);
    return {
      args: args.map(() => type),
      returns: arrayType(
        type,
        args.some((a) => asCast(a, type).nullable),
      ),
      nullable: false,
    };
  },
  (...args) => `[${args.join(", ")}]`,
);

/**
 * Whether an array holds a value; null where the array or the value is null, or the array has nulls and not the value.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.array_contains.html
 */
export function arrayContains(column: ColumnOrName, value: ColumnOrLiteral): Column<string, boolean> {
  return call("array_contains", named(column), operand(value));
}
define(
  "array_contains",
  withElement("boolean", true),
  (x, v) =>
    `CASE WHEN ${x} IS NULL OR ${v} IS NULL THEN NULL WHEN list_contains(${x}, ${v}) THEN TRUE WHEN list_count(${x}) < len(${x}) THEN NULL ELSE FALSE END`,
);

/**
 * The place of a value in an array, from 1; 0 where it is not in it.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.array_position.html
 */
export function arrayPosition(column: ColumnOrName, value: ColumnOrLiteral): Column<string, number> {
  return call("array_position", named(column), operand(value));
}
define(
  "array_position",
  withElement("long"),
  (x, v) =>
    `CASE WHEN ${x} IS NOT NULL AND ${v} IS NOT NULL THEN CAST(coalesce(list_position(${x}, ${v}), 0) AS BIGINT) END`,
);

/**
 * The array without a value.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.array_remove.html
 */
export function arrayRemove<T = unknown[]>(column: ColumnOrName, value: ColumnOrLiteral): Column<string, T> {
  return call("array_remove", named(column), operand(value));
}
define(
  "array_remove",
  withElement((type) => type),
  (x, v) =>
    `CASE WHEN ${v} IS NOT NULL THEN list_filter(${x}, lambda ${ELEMENT}: ${ELEMENT} IS NULL OR ${ELEMENT} <> ${v}) END`,
);

/**
 * The array with each value once, in the order in which they come first.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.array_distinct.html
 */
export function arrayDistinct<T = unknown[]>(column: ColumnOrName): Column<string, T> {
  return call("array_distinct", named(column));
}
defineOfArray("array_distinct", (x) => {
  // Spark keeps 0.0 where there are 0.0 and -0.0.
  const isFloats = isArray(x.type) && isFloating(x.type.elementType);
  const list = isFloats
    ? `list_transform(${x}, lambda ${ELEMENT}: ${ELEMENT} + CAST(0 AS ${elementOf(x.type)}))`
    : x.sql;
  return `list_filter(${list}, lambda ${ELEMENT}, ${INDEX}: list_position(${x}, ${ELEMENT}) = ${INDEX})`;
});

/**
 * The array sorted: nulls first where ascending, last where descending; NaN is above every number.
 * @param ascending @default true
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.sort_array.html
 */
export function sortArray<T = unknown[]>(column: ColumnOrName, ascending = true): Column<string, T> {
  return call("sort_array", named(column), literal(ascending));
}
define(
  "sort_array",
  takes(["array", "boolean"], (type) => type),
  (x, ascending) =>
    constantOf(ascending, "order") ? `list_sort(${x}, 'ASC', 'NULLS FIRST')` : `list_sort(${x}, 'DESC', 'NULLS LAST')`,
);

/**
 * The least value of an array, nulls left out.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.array_min.html
 */
export function arrayMin(column: ColumnOrName): Column {
  return call("array_min", named(column));
}

/**
 * The greatest value of an array, nulls left out; NaN is greater than every number.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.array_max.html
 */
export function arrayMax(column: ColumnOrName): Column {
  return call("array_max", named(column));
}
for (const name of ["min", "max"]) {
  define(`array_${name}`, takes(["array"], elementOf, { nullable: true }), (x) => `list_${name}(${x})`);
}

/**
 * An array of arrays as one array; null where one of them is.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.flatten.html
 */
export function flatten<T = unknown[]>(column: ColumnOrName): Column<string, T> {
  return call("flatten", named(column));
}
define(
  "flatten",
  (args) => {
    const type = args[0]?.type;
    if (!type || !isArray(type) || !isArray(type.elementType)) throw unexpected(args[0], "an array of arrays");
    return { args: [type], returns: type.elementType, nullable: args[0]!.nullable || type.containsNull };
  },
  (x) => `CASE WHEN list_count(${x}) = len(${x}) THEN flatten(${x}) END`,
);

/**
 * `length` elements from `start`, counted from 1, or from the end where negative.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.slice.html
 */
export function slice<T = unknown[]>(column: ColumnOrName, start: number, length: number): Column<string, T> {
  if (start === 0) throw new IllegalArgumentError("slice counts from 1, or from the end from -1, not from 0.");
  if (length < 0) throw new IllegalArgumentError(`slice cannot take ${length} elements.`);
  return call("slice", named(column), literal(start), literal(length));
}
define(
  "slice",
  takes(["array", "integer", "integer"], (type) => type),
  (x, start, length) => {
    const [from, count] = [Number(constantOf(start, "start")), Number(constantOf(length, "length"))];
    if (from > 0) return `${x}[${from}:${from + count - 1}]`;
    return `CASE WHEN len(${x}) < ${-from} THEN ${x}[1:0] ELSE ${x}[len(${x}) + ${from + 1}:len(${x}) + ${from + count}] END`;
  },
);

/**
 * The texts of an array with a separator between them; nulls are left out, or replaced.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.array_join.html
 */
export function arrayJoin(column: ColumnOrName, separator: string, nulls?: string): Column<string, string> {
  return call("array_join", named(column), literal(separator), ...(nulls === undefined ? [] : [literal(nulls)]));
}
define(
  "array_join",
  takes([arrayType("string"), "string", "string"], "string", { optional: 1 }),
  (x, separator, nulls) => {
    const items =
      nulls === undefined
        ? `list_filter(${x}, lambda ${ELEMENT}: ${ELEMENT} IS NOT NULL)`
        : `list_transform(${x}, lambda ${ELEMENT}: coalesce(${ELEMENT}, ${nulls}))`;
    return `array_to_string(${items}, ${separator})`;
  },
);

/**
 * An array of the value `n` times.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.array_repeat.html
 */
export function arrayRepeat(column: ColumnOrName, n: number): Column<string, unknown[]> {
  return call("array_repeat", named(column), literal(n));
}
define(
  "array_repeat",
  (args) => {
    const type = args[0]?.type ?? "void";
    return {
      args: [type, "integer"],
      returns: arrayType(type, args[0]?.nullable ?? true),
      nullable: args[1]?.nullable ?? false,
    };
  },
  (x, n) => `CASE WHEN ${n} IS NOT NULL THEN list_transform(range(0, greatest(${n}, 0)), lambda ${INDEX}: ${x}) END`,
);

// --- Structs and maps ------------------------------------------------------------------------------------------------

/**
 * A struct of columns, each a field under its name.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.struct.html
 */
export function struct(...columns: readonly ColumnOrName[]): Column<string, Record<string, unknown>> {
  if (columns.length === 0) throw new IllegalArgumentError("struct needs at least 1 column, got 0.");
  const fields = columns.flatMap((column, i): Expression[] => {
    const whole: Expression = typeof column === "string" ? columnReference(column) : column.expression;
    return [literal(fieldName(whole, i)), named(column)];
  });
  return call("struct", ...fields);
}
define(
  "struct",
  (args) => {
    const fields = pairs(args).map(([name, value]) => structField(String(name.constant), value.type, value.nullable));
    return { args: args.map((a) => a.type), returns: { type: "struct", fields }, nullable: false };
  },
  (...args) =>
    `struct_pack(${pairs(args)
      .map(([name, value]) => `${identifier(String(name.constant))} := ${value}`)
      .join(", ")})`,
  { text: structText },
);

/** A field that goes by another name than its own says so. */
function structText(...args: readonly string[]): string {
  const fields = args.flatMap((name, i) => {
    const value = args[i + 1] ?? "";
    const isOwn = value === name || value.endsWith(`.${name}`) || name === `col${i / 2 + 1}`;
    return i % 2 === 0 ? [isOwn ? value : `${value} AS ${name}`] : [];
  });
  return `struct(${fields.join(", ")})`;
}

/** As Spark names the fields: what has no name of its own is col1, col2, ... */
function fieldName(expression: Expression, index: number): string {
  const isNamed = expression.kind === "column" || expression.kind === "alias";
  const name = outputName(expression);
  return isNamed ? (expression.kind === "column" ? (name.split(".").at(-1) ?? name) : name) : `col${index + 1}`;
}

/**
 * A map of keys and values in turn. A key that is null or comes twice is an error.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.create_map.html
 */
export function createMap(...columns: readonly ColumnOrName[]): Column<string, Map<unknown, unknown>> {
  if (columns.length % 2 === 1) throw new IllegalArgumentError("createMap needs a value for each key.");
  return call("map", ...columns.map(named));
}
define(
  "map",
  (args) => {
    const keyType = commonTypeOf(pairs(args).map(([key]) => key.type));
    const valueType = commonTypeOf(pairs(args).map(([, value]) => value.type));
    if (!keyType || !valueType) throw differentTypes(args);
    const valueContainsNull = pairs(args).some(([, value]) => value.nullable);
    return {
      args: args.map((_, i) => (i % 2 === 0 ? keyType : valueType)),
      returns: { type: "map", keyType, valueType, valueContainsNull },
      nullable: false,
    };
  },
  (...args) =>
    `map([${pairs(args)
      .map(([key]) => key)
      .join(", ")}], [${pairs(args)
      .map(([, value]) => value)
      .join(", ")}])`,
);

/**
 * The keys of a map, as an array.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.map_keys.html
 */
export function mapKeys(column: ColumnOrName): Column<string, unknown[]> {
  return call("map_keys", named(column));
}
define(
  "map_keys",
  takes(["map"], (type) => arrayType(isMap(type) ? type.keyType : "void")),
  (x) => `map_keys(${x})`,
);

/**
 * The values of a map, as an array.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.functions.map_values.html
 */
export function mapValues(column: ColumnOrName): Column<string, unknown[]> {
  return call("map_values", named(column));
}
define(
  "map_values",
  takes(["map"], (type) => (isMap(type) ? arrayType(type.valueType, type.valueContainsNull) : "void")),
  (x) => `map_values(${x})`,
);

// --- How -------------------------------------------------------------------------------------------------------------

function defineOfArray(name: string, duckdb: FunctionEntry["duckdb"]): void {
  define(
    name,
    takes(["array"], (type) => type),
    duckdb,
  );
}

function elementOf(type: DataType): DataType {
  return isArray(type) ? type.elementType : "void";
}

/** An array and a value of its elements' type. */
function withElement(
  returns: DataType | ((type: DataType) => DataType),
  nullable?: boolean,
): FunctionEntry["signature"] {
  return (args) => {
    const [list, value] = args;
    if (!list || !isArray(list.type) || !value) throw unexpected(list, "an array");
    if (value.type === "void") {
      throw new AnalysisError("[DATATYPE_MISMATCH.NULL_TYPE] Null is no value to look for in an array.");
    }
    const element = commonType(list.type.elementType, value.type);
    if (element === undefined) throw differentTypes(args);
    const type = arrayType(element, list.type.containsNull);
    return {
      args: [type, element],
      returns: typeof returns === "function" ? returns(type) : returns,
      ...(nullable === undefined ? {} : { nullable: list.nullable || value.nullable || list.type.containsNull }),
    };
  };
}

function unexpected(arg: Argument | undefined, wanted: string): AnalysisError {
  const found = arg ? simpleString(arg.type) : "nothing";
  return new AnalysisError(`[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] ${found} where ${wanted} is wanted.`);
}

function pairs(args: readonly Argument[]): (readonly [Argument, Argument])[] {
  return args.flatMap((arg, i) => (i % 2 === 0 && args[i + 1] ? [[arg, args[i + 1] as Argument] as const] : []));
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
