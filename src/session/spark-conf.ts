import { inspect } from "node:util";
import type { SettingValue } from "./configuration";
import { shownValue } from "./secret-settings";

/**
 * Settings on their way to a session: `SparkSession.builder.config(new SparkConf().setAppName("P8"))`. Secrets are shown as `***`.
 * @see https://spark.apache.org/docs/latest/api/python/reference/api/pyspark.SparkConf.html
 */
export class SparkConf {
  readonly #settings = new Map<string, string>();

  constructor(settings: Readonly<Record<string, SettingValue | undefined>> = {}) {
    for (const [key, value] of Object.entries(settings)) if (value !== undefined) this.set(key, value);
  }

  /** One setting; it is checked when a session takes it. */
  set(key: string, value: SettingValue): this {
    this.#settings.set(key, String(value));
    return this;
  }

  setIfMissing(key: string, value: SettingValue): this {
    return this.#settings.has(key) ? this : this.set(key, value);
  }

  /** Several, as pairs or as an object. */
  setAll(settings: Iterable<readonly [string, SettingValue]> | Readonly<Record<string, SettingValue>>): this {
    const pairs =
      Symbol.iterator in settings ? (settings as Iterable<readonly [string, SettingValue]>) : Object.entries(settings);
    for (const [key, value] of pairs) this.set(key, value);
    return this;
  }

  setAppName(name: string): this {
    return this.set("spark.app.name", name);
  }

  setMaster(master: string): this {
    return this.set("spark.master", master);
  }

  get(key: string, fallback?: string): string | undefined {
    const value = this.#settings.get(key);
    return value === undefined ? fallback : shownValue(key, value);
  }

  contains(key: string): boolean {
    return this.#settings.has(key);
  }

  /** Pairs of name and value. */
  getAll(): [key: string, value: string][] {
    return [...this.#settings].map(([key, value]) => [key, shownValue(key, value)]);
  }

  /** @internal As `getAll`, with the secrets. */
  unmasked(): ReadonlyMap<string, string> {
    return this.#settings;
  }

  /** One `name=value` a line, sorted, as Spark writes them. */
  toDebugString(): string {
    return this.getAll()
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => `${key}=${value}`)
      .join("\n");
  }

  /** What `console.log` shows. */
  [inspect.custom](): string {
    return `SparkConf ${inspect(Object.fromEntries(this.getAll()))}`;
  }
}
