import type { SettingName, SettingValue } from "./configuration";
import { Session, SessionBuilder } from "./session";
import { SparkConf } from "./spark-conf";
import type { SparkContext as Context } from "./spark-context";

/** PySpark's builder, whose `getOrCreate` gives the session itself; `await` before it does no harm. */
export interface SparkSessionBuilder {
  /** The application's name, shown in progress and history. @default "pomona" */
  appName(name: string): this;
  /** Where work runs: `local`, `local[N]` or `local[*]`. @default "local[*]" */
  master(master: string): this;
  /** One setting, or several as an object or a `SparkConf`. */
  config(key: SettingName | (string & {}), value: SettingValue): this;
  config(settings: SparkConf | Readonly<Record<string, SettingValue>>): this;
  /** Nothing here needs Hive's catalog; for `enableHiveSupport()` in notebooks. */
  enableHiveSupport(): this;
  /** The session that runs, with these settings applied to it, or a new one. @throws IllegalArgumentError */
  getOrCreate(): Session;
}

/**
 * The session under PySpark's name, made as PySpark makes it:
 *
 *     const spark = SparkSession.builder.appName("P8").master("local[*]").getOrCreate();
 */
export const SparkSession = {
  get builder(): SparkSessionBuilder {
    return new SparkBuilder() as unknown as SparkSessionBuilder;
  },
  getActiveSession: (): Session | undefined => Session.getActiveSession(),
};
export type SparkSession = Session;

class SparkBuilder extends SessionBuilder {
  enableHiveSupport(): this {
    return this;
  }

  override getOrCreate(): never {
    return this.getOrCreateSync() as never;
  }
}

/** `SparkContext.getOrCreate(conf)`: the context of the session that runs, or of a new one. */
export const SparkContext = {
  getOrCreate(conf: SparkConf = new SparkConf()): Context {
    return new SessionBuilder().config(conf).getOrCreateSync().sparkContext;
  },
};
export type SparkContext = Context;
