import { sha256Of } from "../data/shipped-file";

/** A value's bytes, as workers get them. Functions and `Broadcast`s hold it; equal ones that are held are one object. */
export interface Snapshot {
  /** What a plan says of it: `broadcast:` and the sha256 of the bytes. */
  readonly key: string;
  readonly bytes: Uint8Array;
  /** Calls back where workers are to forget it although it is held. */
  onRelease(listener: () => void): void;
  release(): void;
}

/** A function's broadcast value. @throws IllegalArgumentError where it was destroyed */
export type SnapshotSource = () => Snapshot;

const KEY = /^broadcast:[0-9a-f]{64}$/;

/** True for what a plan has in place of a value that was not shipped yet. */
export function isSnapshotKey(source: unknown): source is string {
  return typeof source === "string" && KEY.test(source);
}

/**
 * This process's snapshots. A plan holds the key alone, so that it stays small and JSON; the bytes go with the last function and
 * `Broadcast` that hold them.
 */
const snapshots = new Map<string, WeakRef<Snapshot>>();
const collected = new FinalizationRegistry<string>((key) => {
  // Equal bytes may have been held anew since.
  if (snapshots.get(key)?.deref() === undefined) snapshots.delete(key);
});

/** The snapshot of these bytes, for somebody to hold. */
export function snapshotOfBytes(bytes: Uint8Array): Snapshot {
  const key = `broadcast:${sha256Of(bytes)}`;
  const known = snapshotByKey(key);
  if (known) return known;
  const listeners = new Set<() => void>();
  const snapshot: Snapshot = {
    key,
    bytes,
    onRelease: (listener) => void listeners.add(listener),
    release() {
      for (const listener of listeners) listener();
    },
  };
  snapshots.set(key, new WeakRef(snapshot));
  collected.register(snapshot, key);
  return snapshot;
}

export function snapshotByKey(key: string): Snapshot | undefined {
  return snapshots.get(key)?.deref();
}

/** What functions hold, by their records of keys: copies of a function share that record. */
const held = new WeakMap<object, ReadonlyMap<string, SnapshotSource>>();

/** Lets a record of keys hold its snapshots for as long as it is there itself. */
export function holdSnapshots<Keys extends object>(keys: Keys, sources: ReadonlyMap<string, SnapshotSource>): Keys {
  held.set(keys, sources);
  return keys;
}

/** The snapshot that a record names so; undefined in another process. @throws IllegalArgumentError where it was destroyed */
export function heldSnapshot(keys: object, name: string): Snapshot | undefined {
  return held.get(keys)?.get(name)?.();
}
