import { parseLocalMaster } from "../engine/embedded/local-master";
import { IllegalArgumentError, nearest } from "../errors";

/**
 * The settings of a session, with their defaults. Names are Spark's where Spark has one.
 * @see https://spark.apache.org/docs/latest/configuration.html
 */
export const SETTINGS = {
  "spark.app.name": { default: "pomona", about: "Name of the application, shown in progress and history." },
  "spark.master": { default: "local[*]", about: "Where work runs: local, local[N], local[*]." },
  "spark.task.maxFailures": { default: "4", about: "Attempts a task gets before its job fails." },
  "spark.sql.execution.arrow.maxRecordsPerBatch": {
    default: "1024",
    about: "Most rows a worker holds at a time; with file content in them at most 16.",
  },
  "spark.sql.repl.eagerEval.enabled": {
    default: "true",
    about: "Whether a DataFrame at a cell's end shows its first rows; else its columns. Spark's default is false.",
  },
  "spark.sql.repl.eagerEval.maxNumRows": { default: "20", about: "Most rows that it shows." },
  "spark.sql.repl.eagerEval.truncate": {
    default: "20",
    about: "Characters of a value that it shows; 0 shows values whole.",
  },
  "spark.sql.sources.partitionColumnTypeInference.enabled": {
    default: "true",
    about: "Whether the values of folders k=v are looked at for their type; else they are text.",
  },
  "pomona.duckdb.memory": { default: "512MB", about: "Memory of the relational engine; beyond it, it spills to disk." },
  "pomona.spool.dir": { default: undefined, about: "Folder for intermediate files. Default: the system's." },
  "pomona.progress": { default: "auto", about: "Where jobs show progress: auto, console, notebook, off." },
} as const satisfies Record<string, { default: string | undefined; about: string }>;

export type SettingName = keyof typeof SETTINGS;

/** A session's settings. Values are text, as in Spark. */
export class RuntimeConfig {
  private readonly values = new Map<string, string>();

  /** The value, or the default. @throws IllegalArgumentError for a setting that does not exist, naming the nearest. */
  get(key: SettingName | (string & {})): string | undefined {
    checkSetting(key);
    return this.values.get(key) ?? SETTINGS[key as SettingName].default;
  }

  /** @throws IllegalArgumentError for a setting that does not exist, or a value it can't have. */
  set(key: SettingName | (string & {}), value: string | number | boolean): this {
    checkSetting(key);
    checkValue(key as SettingName, String(value));
    this.values.set(key, String(value));
    return this;
  }

  /** Back to the default. */
  unset(key: SettingName | (string & {})): this {
    checkSetting(key);
    this.values.delete(key);
    return this;
  }

  /** All settings with their values now. */
  getAll(): Record<SettingName, string | undefined> {
    const names = Object.keys(SETTINGS) as SettingName[];
    return Object.fromEntries(names.map((name) => [name, this.get(name)])) as Record<SettingName, string | undefined>;
  }
}

function checkSetting(key: string): void {
  if (key in SETTINGS) return;
  const near = nearest(key, Object.keys(SETTINGS));
  throw new IllegalArgumentError(`There is no setting ${JSON.stringify(key)}.`, {
    remedy: `${near.length > 0 ? `Did you mean ${near.join(", ")}? ` : ""}Known: ${Object.keys(SETTINGS).join(", ")}.`,
  });
}

function checkValue(key: SettingName, value: string): void {
  switch (key) {
    case "spark.master":
      parseLocalMaster(value);
      return;
    case "spark.sql.repl.eagerEval.enabled":
    case "spark.sql.sources.partitionColumnTypeInference.enabled":
      if (value !== "true" && value !== "false") throw mustBe(key, "true or false", value);
      return;
    case "spark.sql.repl.eagerEval.maxNumRows":
    case "spark.sql.repl.eagerEval.truncate":
      if (!/^\d+$/.test(value)) throw mustBe(key, "a whole number of at least 0", value);
      return;
    case "spark.task.maxFailures":
    case "spark.sql.execution.arrow.maxRecordsPerBatch":
      if (!/^[1-9]\d*$/.test(value)) throw mustBe(key, "a positive whole number", value);
      return;
    case "pomona.duckdb.memory":
      if (!/^\d+(\.\d+)?\s*([KMGT]i?B)$/i.test(value)) throw mustBe(key, "a size such as 512MB", value);
      return;
    case "pomona.progress":
      if (!["auto", "console", "notebook", "off"].includes(value)) {
        throw mustBe(key, "one of auto, console, notebook, off", value);
      }
      return;
    default:
      return;
  }
}

function mustBe(key: string, what: string, value: string): IllegalArgumentError {
  return new IllegalArgumentError(`${key} must be ${what}, not ${JSON.stringify(value)}.`);
}
