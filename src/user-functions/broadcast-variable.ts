import { IllegalArgumentError } from "../errors";
import { checkBroadcastValue, snapshotBroadcast } from "./broadcast";
import type { Snapshot, SnapshotSource } from "./snapshots";

let count = 0;

/**
 * A value for user functions, as `sparkContext.broadcast(value)` gives it. Name it in `broadcast` of the function that reads its
 * `value`; each worker gets one copy, and so it does with a plain value there.
 *
 *     const lut = sc.broadcast(new Map([["Kiwi", "green"]]));
 *     const colour = udf((label) => lut.value.get(label), { returns: "string", broadcast: { lut } });
 *
 * @see https://spark.apache.org/docs/latest/api/python/reference/api/pyspark.Broadcast.html
 */
export class Broadcast<T> {
  /** Counts a process's broadcast values. */
  readonly id = count++;
  private value_: T | undefined;
  private isDestroyed = false;
  /** What functions took of it, by key. */
  private readonly snapshots = new Map<string, Snapshot>();

  /** @throws BroadcastValueError for what can't travel to a worker */
  constructor(value: T) {
    checkBroadcastValue(value, "value");
    this.value_ = value;
  }

  /** @throws IllegalArgumentError after {@link Broadcast.destroy} */
  get value(): T {
    this.assertUsable();
    return this.value_ as T;
  }

  /** Frees the workers' copies, once no job uses them. A job that comes later sends the value again. */
  unpersist(_blocking = false): void {
    for (const snapshot of this.snapshots.values()) snapshot.release();
  }

  /** Frees all copies, once no job uses them. After that neither it nor a function that reads it can be used. */
  destroy(_blocking = false): void {
    this.unpersist();
    this.isDestroyed = true;
    this.snapshots.clear();
    this.value_ = undefined;
  }

  /** @internal A copy of it as it is now, for a function that names it so. */
  source(name: string): { readonly key: string; readonly snapshot: SnapshotSource } {
    const taken = snapshotBroadcast(name, { value: this.value });
    const { key } = taken;
    this.snapshots.set(key, taken);
    return {
      key,
      snapshot: () => {
        this.assertUsable();
        return this.snapshots.get(key)!;
      },
    };
  }

  private assertUsable(): void {
    if (!this.isDestroyed) return;
    throw new IllegalArgumentError(`The broadcast value ${this.id} was destroyed.`, {
      remedy: "Broadcast it again, sc.broadcast(value), and define the functions that read it anew.",
    });
  }

  /** As PySpark writes one: `Broadcast(0)`. */
  toString(): string {
    return `Broadcast(${this.id})`;
  }
}
