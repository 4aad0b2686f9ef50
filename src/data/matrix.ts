import {
  DataType as ArrowType,
  type Data,
  Field,
  Float32,
  Float64,
  Int8,
  Int32,
  List,
  makeData,
  makeVector,
  type Struct,
  type Vector,
} from "apache-arrow";
import { IllegalArgumentError } from "../errors";
import { arrowType } from "./arrow";
import { type DecimalValue, decimalText } from "./decimal";
import { DENSE } from "./linalg";

/** Rows of equal length, back to back: row `i` is `values.subarray(i * dimension, (i + 1) * dimension)`. */
export interface Matrix<T extends Float32Array | Float64Array = Float32Array | Float64Array> {
  readonly values: T;
  readonly rows: number;
  readonly dimension: number;
}

/** A row that is not a vector of numbers: which one of the batch, and what is wrong with it. */
export class VectorRowError extends IllegalArgumentError {
  /** In its batch, from 0. */
  readonly row: number;
  /** What the column holds there, such as `null` or `NaN inside an array`. */
  readonly found: string;
  /** The same of a row that is counted otherwise, and of a column that has another name outside. */
  readonly at: (row: number, where: string, column?: string) => VectorRowError;

  constructor(column: string, row: number, found: string, remedy: string, where = `in row ${row} of the batch`) {
    super(`${column} holds ${found}, ${where}.`, { remedy });
    this.row = row;
    this.found = found;
    this.at = (other, text, name = column) => new VectorRowError(name, other, found, remedy, text);
    Object.defineProperties(this, {
      row: { enumerable: false },
      found: { enumerable: false },
      at: { enumerable: false },
    });
  }
}

/**
 * An `array<float>` or `array<double>` Arrow vector over a matrix, without copying.
 * @param nulls rows to mark null; they still take up space in `values`.
 */
export function vectorFromMatrix(matrix: Matrix, nulls: ReadonlySet<number> = new Set()): Vector {
  return makeVector(listData(matrix, nulls));
}

/** A `vector` column of dense vectors over a matrix, without copying. */
export function denseVectors(matrix: Matrix<Float64Array>): Vector {
  const { rows } = matrix;
  const none = nullBits(rows, new Set(Array.from({ length: rows }, (_, i) => i)));
  const index = makeData({ type: new Int32(), length: 0, nullCount: 0, data: new Int32Array(0) });
  const listOf = new List(new Field("element", new Int32(), false));
  const emptyLists = { type: listOf, length: rows, nullCount: rows, nullBitmap: none, child: index };
  const children = [
    makeData({ type: new Int8(), length: rows, nullCount: 0, data: new Int8Array(rows).fill(DENSE) }),
    makeData({ type: new Int32(), length: rows, nullCount: rows, nullBitmap: none, data: new Int32Array(rows) }),
    makeData({ ...emptyLists, valueOffsets: new Int32Array(rows + 1) } as never),
    listData(matrix, new Set(), false),
  ];
  const type = arrowType("vector") as Struct;
  return makeVector(makeData({ type, length: rows, nullCount: 0, children: children as Data[] }));
}

/**
 * The rows of a column of arrays of numbers, or of vectors, as one matrix in float64.
 * @throws VectorRowError if a row is null, empty or has another length than the first, or has a null inside
 */
export function matrixFromVector(vector: Vector, column = "column"): Matrix<Float64Array> {
  const parts = vector.data.map((data) => rowsOf(data, column));
  const first = parts.find(({ length }) => length > 0);
  const dimension = first?.isValid(0) ? first.lengthOf(0) : 0;
  const rows = vector.length;
  const values = new Float64Array(rows * dimension);
  let row = 0;
  for (const part of parts) {
    for (let i = 0; i < part.length; i++, row++) {
      const valid = part.isValid(i);
      const length = valid ? part.lengthOf(i) : 0;
      if (!valid || length !== dimension || dimension === 0) throw notAVector(column, row, valid, length, dimension);
      if (part.hasNull(i)) throw new VectorRowError(column, row, "null inside an array", nullRemedy(column));
      part.copy(i, values, row * dimension);
    }
  }
  return { values, rows, dimension };
}

/** The rows of a chunk, of whatever form. */
export interface VectorRows {
  readonly length: number;
  isValid(i: number): boolean;
  lengthOf(i: number): number;
  /** Whether a value inside is null. */
  hasNull(i: number): boolean;
  /** Puts a row's values there; sparse ones between zeros that are there already. */
  copy(i: number, to: Float64Array, at: number): void;
}

/** The rows of a chunk of arrays of numbers or of vectors. @throws IllegalArgumentError for another type */
export function rowsOf(data: Data, column: string): VectorRows {
  const { type } = data;
  if (ArrowType.isList(type) || ArrowType.isFixedSizeList(type)) return listRows(data, column);
  if (ArrowType.isStruct(type) && type.children.map(({ name }) => name).join() === "type,size,indices,values") {
    return vectorRows(data, column);
  }
  throw new IllegalArgumentError(`${column} is not an array of numbers but ${type}.`, {
    remedy: "Give a column of arrays of numbers, or of vectors.",
  });
}

function listRows(data: Data, column: string): VectorRows {
  const child = data.children[0]!;
  const size = ArrowType.isFixedSizeList(data.type) ? data.type.listSize : 0;
  const from = (i: number) => (size > 0 ? i * size : data.valueOffsets[i]!);
  const lengthOf = (i: number) => (size > 0 ? size : data.valueOffsets[i + 1]! - data.valueOffsets[i]!);
  const start = data.length > 0 ? from(0) : 0;
  const end = data.length > 0 ? from(data.length - 1) + lengthOf(data.length - 1) : 0;
  const values = numbersOf(child, start, end, column);
  return {
    length: data.length,
    isValid: (i) => data.getValid(i),
    lengthOf,
    hasNull(i) {
      if (child.nullCount === 0) return false;
      for (let at = from(i), left = lengthOf(i); left > 0; at++, left--) if (!child.getValid(at)) return true;
      return false;
    },
    copy: (i, to, at) => to.set(values.subarray(from(i) - start, from(i) - start + lengthOf(i)), at),
  };
}

function vectorRows(data: Data, column: string): VectorRows {
  const [kinds, sizes, indices, values] = data.children as [Data, Data, Data, Data];
  const held = listRows(values, column);
  const places = listRows(indices, column);
  const isDense = (i: number) => kinds.values[i] === DENSE;
  return {
    length: data.length,
    isValid: (i) => data.getValid(i),
    lengthOf: (i) => (isDense(i) ? held.lengthOf(i) : (sizes.values[i] as number)),
    hasNull: (i) => held.hasNull(i),
    copy(i, to, at) {
      if (isDense(i)) return held.copy(i, to, at);
      const [at0, count] = [new Float64Array(places.lengthOf(i)), held.lengthOf(i)];
      const some = new Float64Array(count);
      places.copy(i, at0, 0);
      held.copy(i, some, 0);
      for (let j = 0; j < count; j++) to[at + at0[j]!] = some[j]!;
    },
  };
}

/** Some of a chunk's numbers, widened where Arrow's own memory does not hold them as such. */
function numbersOf(child: Data, start: number, end: number, column: string): Float32Array | Float64Array | Int32Array {
  const { type } = child;
  const isNumbers = ArrowType.isFloat(type) ? type.precision > 0 : ArrowType.isInt(type) && type.bitWidth < 64;
  if (isNumbers) return child.values.subarray(start, end);
  if (ArrowType.isInt(type)) return Float64Array.from(child.values.subarray(start, end) as BigInt64Array, Number);
  const each = (number: (value: unknown) => number) => {
    const all = makeVector(child);
    return Float64Array.from({ length: end - start }, (_, i) => number(all.get(start + i) ?? 0));
  };
  if (ArrowType.isFloat(type)) return each(Number);
  if (ArrowType.isDecimal(type)) {
    return each((value) => (value === 0 ? 0 : Number(decimalText(value as DecimalValue, type.scale))));
  }
  throw new IllegalArgumentError(`${column} is not an array of numbers but an array of ${type}.`, {
    remedy: `Cast it first, e.g. col("${column}").cast("array<double>").`,
  });
}

function notAVector(column: string, row: number, valid: boolean, length: number, dimension: number) {
  const other =
    length === dimension ? "an empty array" : `an array of ${length} values where the first row has ${dimension}`;
  return new VectorRowError(
    column,
    row,
    valid ? other : "null",
    valid
      ? `Every vector of ${column} must have the same length: drop the others first, e.g. by size(col("${column}")).`
      : nullRemedy(column),
  );
}

function nullRemedy(column: string): string {
  return `Drop such rows first, e.g. filter(col("${column}").isNotNull()).`;
}

function listData({ values, rows, dimension }: Matrix, nulls: ReadonlySet<number>, containsNull = true): Data {
  const type = values instanceof Float32Array ? new Float32() : new Float64();
  const child = makeData({
    type,
    length: rows * dimension,
    nullCount: 0,
    data: values.subarray(0, rows * dimension),
  } as never);
  const valueOffsets = new Int32Array(rows + 1);
  for (let i = 0; i <= rows; i++) valueOffsets[i] = i * dimension;
  const list = new List(new Field("element", type, containsNull));
  const nullBitmap = nulls.size > 0 ? nullBits(rows, nulls) : undefined;
  return makeData({ type: list, length: rows, nullCount: nulls.size, nullBitmap, valueOffsets, child } as never);
}

function nullBits(rows: number, nulls: ReadonlySet<number>): Uint8Array {
  const bits = new Uint8Array(Math.ceil(rows / 8));
  for (let i = 0; i < rows; i++) if (!nulls.has(i)) bits[i >> 3]! |= 1 << (i & 7);
  return bits;
}
