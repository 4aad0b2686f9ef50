import type { Vector } from "apache-arrow";
import { isMLVector } from "../data/linalg";
import { type ArrayType, type DataType, INTEGER_RANGES, simpleString } from "../data/types";
import { vectorFromMatrix, vectorFromValues } from "../data/vectors";
import { PomonaError } from "../errors";

/** Thrown when a user's function returned something else than what it was declared to return. */
export class UserFunctionResultError extends PomonaError {
  readonly functionName: string;
  /** The column of the result, for a function that returns several. */
  readonly column: string | undefined;
  /** What was found, in words. */
  readonly found: string;

  constructor(
    at: { functionName: string; column?: string | undefined; found: string },
    message: string,
    remedy: string,
  ) {
    super(message, { remedy });
    // The function has returned, so no frame is its author's.
    this.stack = `${this.name}: ${this.message}`;
    this.functionName = at.functionName;
    this.column = at.column;
    this.found = at.found;
  }
}

/** Where values come from, for messages. */
export interface ResultOrigin {
  readonly functionName: string;
  /** The column, for a function that returns several. */
  readonly column: string | undefined;
  /** @default true */
  readonly nullable?: boolean;
  /** Where in the data a row of the result is, in words. */
  readonly row: (row: number) => string;
}

/**
 * A column of results as a vector, each value checked against the declared type.
 * @param onProblem gets a row whose value does not fit; if it returns, the row is null
 */
export function columnFromResults(
  values: readonly unknown[],
  type: DataType,
  place: ResultOrigin,
  onProblem: (row: number, problem: Error) => void,
): Vector {
  const matrix = matrixOf(values, type);
  if (matrix) return matrix;
  const checked = values.map((value, row) => {
    try {
      if ((value === null || value === undefined) && place.nullable === false) {
        throw new Misfit(value, type, "", "Return a value in each row, or make the field nullable.");
      }
      return fit(value, type, "");
    } catch (error) {
      if (!(error instanceof Misfit)) throw error;
      onProblem(row, resultError(error, type, place, row));
      return null;
    }
  });
  return vectorFromValues(checked, type);
}

/** A value in words: `"high" (a string)`, `12.5`, `an object`. */
export function describe(value: unknown): string {
  if (value === null || value === undefined || typeof value === "boolean" || typeof value === "number") {
    return String(value);
  }
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "string") {
    const text = value.length > 40 ? `${value.slice(0, 40)}…` : value;
    return `${JSON.stringify(text)} (a string)`;
  }
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return `an array of ${value.length} values`;
  if (value instanceof Promise) return "a Promise";
  const name = (value as object).constructor?.name;
  if (!name || name === "Object") return "an object";
  return `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}`;
}

/** A value that does not fit its type; `path` leads from the row's value to it. */
class Misfit extends Error {
  constructor(
    readonly value: unknown,
    readonly type: DataType,
    readonly path: string,
    readonly remedy: string,
  ) {
    super();
  }
}

function resultError(misfit: Misfit, type: DataType, place: ResultOrigin, row: number): UserFunctionResultError {
  const found = describe(misfit.value);
  const { functionName, column } = place;
  const inside = misfit.path ? ` at ${misfit.path}` : "";
  const where = `${column === undefined ? "" : ` in column "${column}"`}${inside} for ${place.row(row)}`;
  const declared = column === undefined ? "its type is" : "the schema says";
  return new UserFunctionResultError(
    { functionName, column, found },
    `${functionName} returned ${found}${where}, where ${declared} ${simpleString(misfit.path ? misfit.type : type)}.`,
    misfit.remedy,
  );
}

/** The value as `vectorFromValues` takes it. @throws Misfit */
function fit(value: unknown, type: DataType, path: string): unknown {
  if (value === null || value === undefined) return null;
  if (typeof type !== "string") {
    switch (type.type) {
      case "array":
        return fitArray(value, type, path);
      case "struct": {
        if (typeof value !== "object" || isList(value)) throw new Misfit(value, type, path, "Return an object.");
        const fields = type.fields.map((field) => {
          const item = (value as Record<string, unknown>)[field.name];
          return [field.name, fit(item, field.type, `${path}.${field.name}`)];
        });
        return Object.fromEntries(fields);
      }
      case "map": {
        if (typeof value !== "object" || isList(value))
          throw new Misfit(value, type, path, "Return a Map or an object.");
        const entries: Iterable<[unknown, unknown]> = value instanceof Map ? value : Object.entries(value);
        const fitted = Array.from(entries, ([key, item]): [unknown, unknown] => [
          fit(key, type.keyType, `${path} (a key)`),
          fit(item, type.valueType, `${path}[${JSON.stringify(String(key))}]`),
        ]);
        return new Map(fitted);
      }
    }
  }
  switch (type) {
    case "boolean":
      if (typeof value === "boolean") return value;
      throw new Misfit(value, type, path, "Return true or false.");
    case "byte":
    case "short":
    case "integer":
    case "long":
      return fitInteger(value, type, path);
    case "float":
    case "double":
      if (typeof value === "number" || typeof value === "bigint") return Number(value);
      throw new Misfit(value, type, path, `Return a number, or declare ${declaration(value)}.`);
    case "string":
      if (typeof value === "string") return value;
      throw new Misfit(value, type, path, `Return String(value), or declare ${declaration(value)}.`);
    case "binary":
      if (value instanceof Uint8Array) return value;
      if (value instanceof ArrayBuffer) return new Uint8Array(value);
      throw new Misfit(value, type, path, "Return a Uint8Array.");
    case "date":
    case "timestamp":
    case "timestamp_ntz":
      if (value instanceof Date && !Number.isNaN(value.getTime())) return value;
      throw new Misfit(value, type, path, "Return a valid Date.");
    case "vector":
      if (isMLVector(value)) return value;
      throw new Misfit(value, type, path, "Return Vectors.dense(values), or declare array<double>.");
    case "void":
      throw new Misfit(value, type, path, "Return null, or declare another type.");
    default:
      throw new Misfit(value, type, path, 'Declare "double" or "string" and cast the column: .cast("decimal(10,2)").');
  }
}

function fitInteger(value: unknown, type: "byte" | "short" | "integer" | "long", path: string): unknown {
  const range = INTEGER_RANGES[type] as readonly [bigint, bigint];
  if (typeof value === "number" && !Number.isInteger(value)) {
    throw new Misfit(value, type, path, 'Round it, e.g. Math.round(value), or declare "double".');
  }
  if (typeof value !== "number" && typeof value !== "bigint") {
    throw new Misfit(value, type, path, `Return a whole number, or declare ${declaration(value)}.`);
  }
  const whole = BigInt(value);
  if (whole < range[0] || whole > range[1]) {
    const wider = type === "long" ? '"double"' : '"long"';
    throw new Misfit(value, type, path, `It is out of range (${range[0]} to ${range[1]}): declare ${wider}.`);
  }
  return type === "long" ? whole : Number(whole);
}

function fitArray(value: unknown, type: ArrayType, path: string): unknown {
  if (!isList(value)) throw new Misfit(value, type, path, "Return an array.");
  return Array.from(value, (item, i) => fit(item, type.elementType, `${path}[${i}]`));
}

/** Rows of numbers of one length go into the column without a detour over boxed values. */
function matrixOf(values: readonly unknown[], type: DataType): Vector | undefined {
  if (typeof type === "string" || type.type !== "array") return undefined;
  if (type.elementType !== "float" && type.elementType !== "double") return undefined;
  const dimension = values.find(isList)?.length;
  if (dimension === undefined) return undefined;
  const fits = values.every(
    (value) => value === null || (isList(value) && value.length === dimension && isNumbers(value)),
  );
  if (!fits) return undefined;
  const rows = values.length;
  const flat = type.elementType === "float" ? new Float32Array(rows * dimension) : new Float64Array(rows * dimension);
  const nulls = new Set<number>();
  values.forEach((value, row) => {
    if (value === null) nulls.add(row);
    else flat.set(value as ArrayLike<number>, row * dimension);
  });
  return vectorFromMatrix({ values: flat, rows, dimension }, nulls);
}

function isNumbers(value: ArrayLike<unknown>): boolean {
  if (ArrayBuffer.isView(value)) return !(value instanceof BigInt64Array || value instanceof BigUint64Array);
  for (let i = 0; i < value.length; i++) if (typeof value[i] !== "number") return false;
  return true;
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

/** The type that the value would fit. */
function declaration(value: unknown): string {
  switch (typeof value) {
    case "string":
      return '"string"';
    case "boolean":
      return '"boolean"';
    case "number":
    case "bigint":
      return '"double"';
    default:
      return "the type that it has";
  }
}
