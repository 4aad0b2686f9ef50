import { types } from "node:util";
import { serialize } from "node:v8";
import type { FunctionSpec, ImportedModule, SourceFunction } from "../data/batch-function";
import type { ShippedFile } from "../data/shipped-file";
import { IllegalArgumentError, PomonaError } from "../errors";
import { moduleInTask } from "./module-in-task";
import { heldSnapshot, isSnapshotKey, type Snapshot, snapshotByKey, snapshotOfBytes } from "./snapshots";

/** Thrown when a broadcast value holds something that cannot travel to a worker; `path` says where. */
export class BroadcastValueError extends PomonaError {
  /** The way to the offending field, such as `lut.compare` or `tables[2]`. */
  readonly path: string;

  constructor(path: string, problem: string, remedy: string) {
    super(`Cannot broadcast ${path.split(/[.[ ]/, 1)[0]}: ${path} ${problem}.`, { remedy });
    this.path = path;
  }
}

/** Above this size a broadcast value is worth a warning: each worker reads and keeps a copy. */
const LARGE_BYTES = 100 * 1024 * 1024;

/**
 * Takes a snapshot of a value. What the notebook does to the value afterwards is not seen by the workers, as with Spark's
 * broadcast variables.
 * @throws BroadcastValueError if it holds a function, a class instance or something else that cannot travel
 */
export function snapshotBroadcast(name: string, value: unknown): Snapshot {
  checkBroadcastValue(value, name);
  let bytes: Uint8Array;
  try {
    bytes = serialize(value);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BroadcastValueError(name, `cannot be serialised (${reason})`, PLAIN_DATA);
  }
  if (bytes.length > LARGE_BYTES) {
    const size = Math.round(bytes.length / 1024 / 1024);
    process.emitWarning(
      `The broadcast value ${name} takes ${size} MB, and each worker keeps a copy. Consider a join instead.`,
      "LargeBroadcastWarning",
    );
  }
  return snapshotOfBytes(bytes);
}

/** @throws BroadcastValueError for what can't travel to a worker, with the way to it, which begins with `name` */
export function checkBroadcastValue(value: unknown, name: string): void {
  checkValue(value, name, new Set());
}

/**
 * Ships what a user's function brings along, its broadcast values and its modules, and returns the function with where they are. An
 * engine calls it before a stage starts.
 * @param ship puts bytes where workers fetch them, for as long as their owner is there; called once per content
 */
export async function prepareSourceFunction(
  spec: SourceFunction,
  ship: (content: Uint8Array, owner: object) => Promise<ShippedFile>,
): Promise<SourceFunction> {
  const shipped = new Map<string, Promise<ShippedFile>>();
  const once = (key: string, send: () => Promise<ShippedFile>) => {
    const known = shipped.get(key) ?? send();
    shipped.set(key, known);
    return known;
  };
  const broadcast: Record<string, string | ShippedFile> = {};
  for (const [name, key] of Object.entries(spec.broadcast)) {
    if (!isSnapshotKey(key)) {
      broadcast[name] = key;
      continue;
    }
    const snapshot = snapshotOf(key, name, spec);
    broadcast[name] = await once(key, () => ship(snapshot.bytes, snapshot));
  }
  const imports: ImportedModule[] = [];
  for (const module of spec.imports) {
    const { bundle } = module;
    const file = typeof bundle === "string" ? await once(bundle, () => ship(Buffer.from(bundle), module)) : bundle;
    imports.push({ ...moduleInTask(module, spec, imports), ...(file && { bundle: file }) });
  }
  return { ...spec, broadcast, imports };
}

/** True for a function that {@link prepareSourceFunction} has work to do for. */
export function needsPreparation(spec: FunctionSpec): spec is SourceFunction {
  if (spec.kind !== "source") return false;
  return Object.values(spec.broadcast).some(isSnapshotKey) || spec.imports.some(({ home }) => home !== undefined);
}

function snapshotOf(key: string, name: string, spec: SourceFunction): Snapshot {
  const snapshot = heldSnapshot(spec.broadcast, name) ?? snapshotByKey(key);
  if (snapshot) return snapshot;
  throw new IllegalArgumentError(`The broadcast value ${name} of ${spec.name} is not in this process.`, {
    remedy: "A plan with broadcast values runs in the process that made it: define the function again here.",
  });
}

const PLAIN_DATA =
  "Broadcast plain data: numbers, strings, arrays, objects, Map, Set, Date, typed arrays and what is made of them.";
const A_MODULE = 'A function travels in a module: put it into a file and name it in imports: ["./file"].';

/** `v8.serialize` would drop an instance's methods in silence, and names no path for what it refuses. */
function checkValue(value: unknown, path: string, seen: Set<object>): void {
  if (typeof value === "function") {
    const what = /^class\b/.test(Function.prototype.toString.call(value)) ? "is a class" : "is a function";
    throw new BroadcastValueError(path, what, A_MODULE);
  }
  if (typeof value === "symbol") throw new BroadcastValueError(path, "is a symbol", PLAIN_DATA);
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  if (types.isProxy(value)) throw new BroadcastValueError(path, "is a Proxy", PLAIN_DATA);
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value) || isLeaf(value)) return;
  if (types.isMap(value)) {
    for (const [key, item] of value) {
      checkValue(key, `${path} (a key)`, seen);
      checkValue(item, `${path}.get(${keyText(key)})`, seen);
    }
  } else if (types.isSet(value)) {
    let index = 0;
    for (const item of value) checkValue(item, `${path} (item ${index++})`, seen);
  } else if (Array.isArray(value)) {
    value.forEach((item, index) => {
      checkValue(item, `${path}[${index}]`, seen);
    });
  } else {
    checkIsPlain(value, path);
    for (const [key, item] of Object.entries(value)) checkValue(item, fieldPath(path, key), seen);
  }
}

function isLeaf(value: object): boolean {
  return types.isDate(value) || types.isRegExp(value) || types.isNativeError(value) || types.isBoxedPrimitive(value);
}

function checkIsPlain(value: object, path: string): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  // An object of another realm has another Object.prototype, so look at the shape of the chain.
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return;
  const name = (value as { constructor?: { name?: string } }).constructor?.name || "class";
  const article = /^[AEIOU]/.test(name) ? "an" : "a";
  throw new BroadcastValueError(path, `is ${article} ${name}, and a copy would lose its methods`, remedyFor(name));
}

function remedyFor(className: string): string {
  switch (className) {
    case "DataFrame":
    case "GroupedData":
      return "Collect it first, e.g. broadcast: { rows: await df.collect() }, or join the two DataFrames.";
    case "Promise":
      return "Await it first.";
    case "Session":
    case "SparkContext":
    case "Column":
      return "It lives on the driver alone: compute what the function needs first, and broadcast that.";
    default:
      return PLAIN_DATA;
  }
}

function fieldPath(path: string, key: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

function keyText(key: unknown): string {
  return typeof key === "object" && key !== null ? "…" : typeof key === "string" ? JSON.stringify(key) : String(key);
}
