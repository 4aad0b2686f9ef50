import { IllegalArgumentError } from "../errors";
import { checkBroadcastValue } from "./broadcast";

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
  private readonly value_: T;
  private isDestroyed = false;

  /** @throws BroadcastValueError for what can't travel to a worker */
  constructor(value: T) {
    checkBroadcastValue(value, "value");
    this.value_ = value;
  }

  /** @throws IllegalArgumentError after {@link Broadcast.destroy} */
  get value(): T {
    if (this.isDestroyed) {
      throw new IllegalArgumentError(`The broadcast value ${this.id} was destroyed.`, {
        remedy: "Broadcast it again: sc.broadcast(value).",
      });
    }
    return this.value_;
  }

  /** Workers forget their copies when a job ends, so that there is nothing to do. */
  unpersist(_blocking = false): void {}

  /** It can't be used after that. */
  destroy(_blocking = false): void {
    this.isDestroyed = true;
  }

  /** As PySpark writes one: `Broadcast(0)`. */
  toString(): string {
    return `Broadcast(${this.id})`;
  }
}
