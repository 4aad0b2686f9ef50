import { types } from "node:util";
import { deserialize, serialize } from "node:v8";
import { DenseMatrix, DenseVector, SparseVector } from "../data/linalg";
import type { StructType } from "../data/types";
import { DataFrame } from "../frame/dataframe";
import { isSavable, loadedStage, type Savable } from "../ml/pipeline";
import { Session } from "../session/session";
import { joinUrl, type Storages, type Url } from "../storage";
import { MemoValueError } from "./errors";
import { article, isPlainPrototype } from "./value-kinds";

/*
 * A value is one file of what `v8.serialize` writes, in which other objects stand for what that can't keep: a DataFrame, which is
 * a Parquet data set beside it, a model, which is saved beside it, and the vectors of Spark ML. These objects come once
 * more in a list, by which they are known again.
 */

/** What stands for such a value. */
type Hole =
  | { readonly kind: "frame"; readonly folder: string; readonly schema: StructType }
  | { readonly kind: "model"; readonly folder: string }
  | { readonly kind: "dense"; readonly values: Float64Array }
  | { readonly kind: "sparse"; readonly size: number; readonly indices: Int32Array; readonly values: Float64Array }
  | { readonly kind: "matrix"; readonly parts: readonly [rows: number, columns: number, Float64Array] };

/** The file of the value itself. */
export const VALUE_FILE = "value.v8";

/** A value that was looked at. */
export interface Keepable {
  /** True where it is in `bytes` as a whole. */
  readonly isPlain: boolean;
  /** Writes what it is made of besides. @returns the file of the value itself */
  bytes(folder: Url, storages: Storages): Promise<Uint8Array>;
}

/** Looks at a value. @throws MemoValueError for what would not come back as it is */
export function keepable(memo: string, value: unknown): Keepable {
  const looked = new Look(memo);
  looked.at(value, "its value");
  const { frames, models, vectors } = looked;
  return {
    isPlain: frames.size + models.size === 0,
    async bytes(folder, storages) {
      const holes = new Map<object, Hole>();
      for (const frame of frames) {
        const name = `frame-${holes.size}`;
        const { plan, runtime } = frame;
        const schema = await runtime.schema(plan);
        const path = joinUrl(folder, name);
        await runtime.write(plan, { format: "parquet", path, mode: "errorifexists", options: {} });
        holes.set(frame, { kind: "frame", folder: name, schema });
      }
      for (const model of models) {
        const name = `model-${holes.size}`;
        await model.save(joinUrl(folder, name), { storages });
        holes.set(model, { kind: "model", folder: name });
      }
      for (const vector of vectors) holes.set(vector, vectorHole(vector));
      const kept = holes.size > 0 ? replaced(value, (each) => holes.get(each), "copy") : value;
      try {
        return serialize({ value: kept, holes: [...holes.values()] });
      } catch (error) {
        throw new MemoValueError(memo, "its value", `can't be written (${String((error as Error).message)})`);
      }
    },
  };
}

/** The value that is in a folder. @param bytes the file of the value itself */
export async function keptValue(bytes: Uint8Array, folder: Url): Promise<unknown> {
  const { value, holes } = deserialize(bytes) as { readonly value: unknown; readonly holes: readonly Hole[] };
  const values = new Map<object, object>();
  for (const hole of holes) values.set(hole, await filled(hole, folder));
  // v8 gives views of all that it read.
  return replaced(
    value,
    (each) => values.get(each) ?? (ArrayBuffer.isView(each) ? ownView(each as NodeJS.ArrayBufferView) : undefined),
    "here",
  );
}

async function filled(hole: Hole, folder: Url): Promise<object> {
  switch (hole.kind) {
    case "frame": {
      const paths = [joinUrl(folder, hole.folder)];
      const read = { op: "read", format: "parquet", paths, options: {}, schema: hole.schema, isOwn: true } as const;
      return new DataFrame(read, Session.builder().getOrCreateSync().runtime);
    }
    case "model":
      return loadedStage(joinUrl(folder, hole.folder), Session.builder().getOrCreateSync());
    case "dense":
      return DenseVector.from(hole.values);
    case "sparse":
      return new SparseVector(hole.size, hole.indices, hole.values);
    case "matrix":
      return new DenseMatrix(...hole.parts);
  }
}

function vectorHole(vector: DenseVector | SparseVector | DenseMatrix): Hole {
  if (vector instanceof DenseVector) return { kind: "dense", values: Float64Array.from(vector) };
  if (vector instanceof SparseVector) {
    const { size, indices, values } = vector;
    return { kind: "sparse", size, indices, values };
  }
  const { numRows, numCols, values } = vector;
  return { kind: "matrix", parts: [numRows, numCols, values] };
}

function ownView(view: NodeJS.ArrayBufferView): NodeJS.ArrayBufferView | undefined {
  const { buffer, byteOffset, byteLength } = view;
  if (byteLength === buffer.byteLength) return undefined;
  const bytes = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
  if (Buffer.isBuffer(view)) return Buffer.from(bytes);
  const type = view.constructor as new (bytes: ArrayBuffer) => NodeJS.ArrayBufferView;
  return new type(bytes);
}

/** The same value with others in place of some of its parts: in a copy, or in itself. */
function replaced(value: unknown, other: (part: object) => object | undefined, mode: "copy" | "here"): unknown {
  const made = new Map<object, object>();
  const of = (part: unknown): unknown => {
    if (typeof part !== "object" || part === null) return part;
    const known = made.get(part);
    if (known) return known;
    const instead = other(part) ?? (isContainer(part) ? undefined : part);
    if (instead) {
      made.set(part, instead);
      return instead;
    }
    const target = mode === "here" ? part : emptyLike(part);
    made.set(part, target);
    if (types.isMap(part)) {
      const entries = [...part];
      (target as Map<unknown, unknown>).clear();
      for (const [key, item] of entries) (target as Map<unknown, unknown>).set(of(key), of(item));
    } else if (types.isSet(part)) {
      const items = [...part];
      (target as Set<unknown>).clear();
      for (const item of items) (target as Set<unknown>).add(of(item));
    } else {
      if (Array.isArray(part)) (target as unknown[]).length = part.length;
      for (const key of Object.keys(part)) {
        const item = (part as Record<string, unknown>)[key];
        // Not by an assignment, which `__proto__` would take for something else.
        Object.defineProperty(target, key, { value: of(item), writable: true, enumerable: true, configurable: true });
      }
    }
    return target;
  };
  return of(value);
}

function isContainer(part: object): boolean {
  if (ArrayBuffer.isView(part) || types.isAnyArrayBuffer(part)) return false;
  return !(types.isDate(part) || types.isRegExp(part) || types.isNativeError(part) || types.isBoxedPrimitive(part));
}

function emptyLike(part: object): object {
  if (Array.isArray(part)) return [];
  return types.isMap(part) ? new Map() : types.isSet(part) ? new Set() : {};
}

/** The prototypes of what v8 gives back as it was. */
const PROTOTYPES: ReadonlySet<unknown> = new Set(
  [
    ...[Object, Array, Map, Set, Date, RegExp, ArrayBuffer, DataView, Buffer, Number, String, Boolean, BigInt],
    ...[Error, RangeError, TypeError, SyntaxError, ReferenceError, EvalError, URIError],
    ...[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array],
    ...[Float32Array, Float64Array, BigInt64Array, BigUint64Array],
  ].map(({ prototype }) => prototype),
);

/** Looks for what would be lost in silence, and for what is kept beside. */
class Look {
  readonly frames = new Set<DataFrame>();
  readonly models = new Set<Savable>();
  readonly vectors = new Set<DenseVector | SparseVector | DenseMatrix>();
  private readonly seen = new Set<object>();

  constructor(private readonly memo: string) {}

  at(value: unknown, path: string): void {
    if (typeof value === "function") this.refuse(path, "is a function");
    if (typeof value === "symbol") this.refuse(path, "is a symbol");
    if (typeof value !== "object" || value === null || this.seen.has(value)) return;
    this.seen.add(value);
    if (types.isProxy(value)) this.refuse(path, "is a Proxy");
    if (types.isPromise(value)) this.refuse(path, "is a Promise", "Await it in the memo's function.");
    if (value instanceof DataFrame) this.frames.add(value);
    else if (value instanceof DenseVector || value instanceof SparseVector || value instanceof DenseMatrix)
      this.vectors.add(value);
    else if (isSavable(value)) this.models.add(value);
    else this.inside(value, path);
  }

  private inside(value: object, path: string): void {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== null && !PROTOTYPES.has(prototype) && !isPlainPrototype(prototype)) {
      const name = value.constructor?.name || "class";
      this.refuse(path, `is ${article(name)}, and what is read back would lose its methods`);
    }
    if (types.isMap(value)) {
      let i = 0;
      for (const [key, item] of value) {
        this.at(key, `${path} (key ${i})`);
        this.at(item, `${path} (value ${i++})`);
      }
    } else if (types.isSet(value)) {
      let i = 0;
      for (const item of value) this.at(item, `${path} (item ${i++})`);
    }
    this.properties(value, path);
  }

  private properties(value: object, path: string): void {
    if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return;
    const isNamed = types.isMap(value) || types.isSet(value) || !isContainer(value);
    for (const key of Reflect.ownKeys(value)) {
      if ((Array.isArray(value) || types.isBoxedPrimitive(value)) && (key === "length" || isIndexOfText(value, key)))
        continue;
      if (types.isRegExp(value) && key === "lastIndex") continue;
      if (types.isNativeError(value) && ["stack", "message"].includes(String(key))) continue;
      const at = typeof key === "symbol" ? `${path}[${String(key)}]` : `${path}.${key}`;
      const { get, set, enumerable, value: item } = Object.getOwnPropertyDescriptor(value, key) as PropertyDescriptor;
      if (isNamed) this.refuse(at, "is a property of one's own, which would be lost");
      if (typeof key === "symbol") this.refuse(at, "has a symbol for a name, and would be lost");
      if (get || set) this.refuse(at, "is a getter or setter, and would become a value");
      if (!enumerable) this.refuse(at, "is not enumerable, and would be lost");
      this.at(item, Array.isArray(value) ? `${path}[${key}]` : at);
    }
  }

  private refuse(path: string, problem: string, remedy?: string): never {
    throw new MemoValueError(this.memo, path, problem, remedy);
  }
}

function isIndexOfText(value: object, key: string | symbol): boolean {
  return types.isStringObject(value) && /^\d+$/.test(String(key));
}
