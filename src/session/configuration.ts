import { inspect } from "node:util";
import { checkMaster, ENGINE_SETTINGS, hasRemoteWorkers, isSparkMaster } from "../engine/engines";
import { COUNT, FLAG, type Setting, SIZE, TIME } from "../engine/settings";
import { IllegalArgumentError, nearest } from "../errors";
import { kernelHost } from "../kernel/kernel-host";
import { isStorageSetting } from "../storage";
import {
  changeability,
  checkForeignValue,
  foreignSetting,
  nearSparks,
  sparkDefault,
  sparkSettingNames,
} from "./foreign-settings";
import { HIDDEN, isSecret, shownValue } from "./secret-settings";

/**
 * The settings of a session, with their defaults: its own, and those of the engines. Names are Spark's where Spark has one.
 * @see https://spark.apache.org/docs/latest/configuration.html
 */
export const SETTINGS = {
  "spark.app.name": { default: "pomona", about: "Name of the application, shown in progress and history." },
  "spark.master": {
    default: "local[*]",
    about: "Where work runs: local, local[N], local[*], jupyter://host:8888, sc://host:15002.",
    isFixedByStart: true,
  },
  "spark.sql.repl.eagerEval.enabled": {
    default: "true",
    about: "Whether a DataFrame at a cell's end shows its first rows; else its columns. Spark's default is false.",
    value: FLAG,
  },
  "spark.sql.repl.eagerEval.maxNumRows": { default: "20", about: "Most rows that it shows.", value: COUNT },
  "spark.sql.repl.eagerEval.truncate": {
    default: "20",
    about: "Characters of a value that it shows; 0 shows values whole.",
    value: COUNT,
  },
  ...ENGINE_SETTINGS,
  "spark.eventLog.enabled": {
    default: "true",
    about:
      "Whether the session keeps a record of its run, for session.report and pomona history. Spark's default is false.",
    value: FLAG,
    isFixedByStart: true,
  },
  "pomona.history.dir": {
    default: undefined,
    about: "Folder of the records of runs, local or s3://. Default: history in the cache folder.",
    isFixedByStart: true,
  },
  "spark.history.fs.cleaner.maxAge": {
    default: "30d",
    about: "Records of runs that are older are removed. Spark's default is 7d.",
    value: TIME,
  },
  "pomona.history.maxSize": {
    default: "200MB",
    about: "Most that records of runs take, all together; the oldest are removed.",
    value: SIZE,
  },
  "pomona.progress": {
    default: "auto",
    about: "Where jobs show progress: auto, console, notebook, off.",
    value: {
      is: "one of auto, console, notebook, off",
      test: (value: string) => ["auto", "console", "notebook", "off"].includes(value),
    },
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

/** True for a setting that a session takes at its start alone. */
export function isFixedByStart(key: string): boolean {
  if (isOwn(key)) return settingOf(key).isFixedByStart === true;
  return STORAGE.test(key) || ["static", "core"].includes(changeability(key));
}

/** Storages are made when a session starts, here and on the workers. */
const STORAGE = /^(?:spark\.hadoop\.)?fs\./;

/** A value of a setting; it is kept as text, as in Spark. */
export type SettingValue = string | number | boolean;

/**
 * A session's settings, as PySpark's `spark.conf`. Besides those in `SETTINGS` it takes every setting of Spark: what means
 * nothing here is said once, and what would change values here is refused. Secrets, such as `fs.s3a.secret.key`, are shown as `***`.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.conf.RuntimeConfig.html
 */
export class RuntimeConfig {
  // Not `private`: what prints an object shows such members too.
  readonly #values = new Map<string, string>();
  private readonly said = new Set<string>();
  private isRunning = false;

  /**
   * The value, or the default; `***` for a secret.
   * @param fallback in place of the default where nothing was set; null for undefined
   * @throws IllegalArgumentError for a setting that has neither, as in Spark
   */
  get(key: SettingName | (string & {}), fallback?: string | null): string | undefined {
    checkName(key);
    const value = this.#values.get(key);
    if (value !== undefined) return shownValue(key, value);
    if (isOwn(key)) return this.defaultOf(key) ?? fallback ?? undefined;
    if (fallback !== undefined) return fallback ?? undefined;
    const known = sparkDefault(key);
    if (known) return known.value;
    const near = nearest(key, [...Object.keys(SETTINGS), ...sparkSettingNames()])[0];
    throw new IllegalArgumentError(
      `[SQL_CONF_NOT_FOUND] The SQL config "${key}" cannot be found. Please verify that the config exists. SQLSTATE: 42K0I`,
      near === undefined ? {} : { remedy: `Did you mean ${near}? Or give a default: conf.get(name, "…").` },
    );
  }

  /**
   * Sets a value; `null` is none, as in Spark.
   * @throws IllegalArgumentError for a name that neither this package nor Spark has, naming the nearest; for a value it can't have,
   *   or with which Spark would compute other values than this package does; for one that is fixed by a session's start
   */
  set(key: SettingName | (string & {}), value: SettingValue): void {
    this.setAll([[key, value]]);
  }

  /** @internal Several at once, with one line about all that mean nothing here. */
  setAll(settings: Iterable<readonly [key: string, value: SettingValue]>, { isTrial = false } = {}): void {
    const unused: string[] = [];
    const meant: string[] = [];
    for (const [key, value] of settings) {
      checkName(key);
      if (!["string", "number", "boolean"].includes(typeof value)) {
        throw new IllegalArgumentError(
          `The value of ${key} must be text, a number or a boolean, not ${isSecret(key) ? HIDDEN : String(value)}.`,
        );
      }
      if (this.isRunning) checkIsModifiable(key);
      const current = this.#values.get(key);
      // What is shown of a value stands for it.
      if (current !== undefined && String(value) === shownValue(key, current)) continue;
      if (isSecret(key) && value === HIDDEN) throw hiddenSecret(key);
      if (isOwn(key)) checkValue(key, String(value));
      else if (this.takeForeign(key, String(value))) (nearSparks(key) ? meant : unused).push(key);
      this.#values.set(key, String(value));
    }
    if (isTrial) return;
    const onSpark = isSparkMaster(this.#values.get("spark.master") ?? "");
    const idle = onSpark ? unused.filter((key) => changeability(key) !== "runtime") : unused;
    if (idle.length > 0) tell(onSpark ? servedText(idle) : unusedText(idle));
    for (const key of meant) tell(`Spark lists no setting ${key}, did you mean ${nearSparks(key)}? It is left alone.`);
  }

  /** Back to the default. @throws IllegalArgumentError for one that is fixed by a session's start */
  unset(key: SettingName | (string & {})): void {
    checkName(key);
    if (this.isRunning) checkIsModifiable(key);
    this.#values.delete(key);
  }

  /** Whether `set` changes it while the session runs. */
  isModifiable(key: SettingName | (string & {})): boolean {
    checkName(key);
    return isOwn(key) ? !isFixedByStart(key) : changeability(key) === "runtime";
  }

  /** This package's settings with their values now, and what else was set; secrets as `***`. */
  getAll(): Record<SettingName, string | undefined> & Record<string, string | undefined> {
    const names = Object.keys(SETTINGS) as SettingName[];
    const own = Object.fromEntries(names.map((name) => [name, this.get(name)])) as Record<
      SettingName,
      string | undefined
    >;
    return { ...own, ...Object.fromEntries([...this.#values].map(([key, value]) => [key, shownValue(key, value)])) };
  }

  /** @internal What is not at its default on this master, with that, by name; secrets as `***`. */
  changed(): { readonly name: string; readonly value: string; readonly usual: string | undefined }[] {
    return Object.entries(this.getAll())
      .flatMap(([name, value]) => {
        const usual = isOwn(name) ? this.defaultOf(name) : undefined;
        return value === undefined || value === usual ? [] : [{ name, value, usual }];
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @internal As `getAll`, with the secrets: for what is made from them. */
  unmasked(): Record<string, string | undefined> {
    return { ...this.getAll(), ...Object.fromEntries(this.#values) };
  }

  /** What `console.log` shows. */
  [inspect.custom](): string {
    return `RuntimeConfig ${inspect(this.getAll())}`;
  }

  /** @internal From now on what a session's start fixes can't be changed. */
  start(): void {
    this.isRunning = true;
  }

  private defaultOf(key: SettingName): string | undefined {
    const { default: usual, defaultElsewhere } = settingOf(key);
    if (defaultElsewhere === undefined) return usual;
    return hasRemoteWorkers(this.#values.get("spark.master") ?? "") ? defaultElsewhere : usual;
  }

  /** True where it is to be said that it means nothing. */
  private takeForeign(key: string, value: string): boolean {
    if (isStorageSetting(key)) return false;
    const found = foreignSetting(key);
    const near = nearest(key, Object.keys(SETTINGS)).filter((name) => Math.abs(name.length - key.length) <= 2);
    const others = nearSparks(key);
    const isNearOwn = near.length > 0 && (others === undefined || isOwn(others));
    if (found.kind === "unknown" || (!found.isSparks && isNearOwn)) throw unknownSetting(key);
    if (checkForeignValue(key, value) || this.said.has(key)) return false;
    this.said.add(key);
    return true;
  }
}

/** Settings for a session that runs: what its start has fixed stays, which is said. */
export function applySettings(conf: RuntimeConfig, settings: ReadonlyMap<string, SettingValue>): void {
  conf.setAll([...settings].filter(([key]) => !isFixedByStart(key)));
  const now = conf.unmasked();
  const kept = [...settings].filter(
    ([key, value]) => isFixedByStart(key) && now[key] !== String(value) && conf.get(key, null) !== value,
  );
  if (kept.length === 0) return;
  const names = kept.map(([key]) => `${key} (${conf.get(key, null) ?? "not set"})`).join(", ");
  tell(`A session runs already and keeps what its start has fixed: ${names}. To change it, stop the session first.`);
}

function isOwn(key: string): key is SettingName {
  return Object.hasOwn(SETTINGS, key);
}

function checkName(key: unknown): void {
  if (typeof key === "string" && key !== "") return;
  throw new IllegalArgumentError(`The name of a setting is text, not ${String(key)}.`);
}

function unknownSetting(key: string): IllegalArgumentError {
  const near = nearest(key, [...Object.keys(SETTINGS), ...sparkSettingNames()]);
  return new IllegalArgumentError(`There is no setting ${JSON.stringify(key)}.`, {
    remedy: `${near.length > 0 ? `Did you mean ${near.join(", ")}? ` : ""}Known: Spark's, and ${Object.keys(SETTINGS).join(", ")}.`,
  });
}

function hiddenSecret(key: string): IllegalArgumentError {
  return new IllegalArgumentError(`${key} is "${HIDDEN}", which is what is shown in place of a secret.`, {
    remedy: "Give the secret itself; or none, and S3's credentials are those of the environment.",
  });
}

/** @throws IllegalArgumentError as Spark's `CANNOT_MODIFY_…` */
function checkIsModifiable(key: string): void {
  if (!isFixedByStart(key)) return;
  const kind = changeability(key);
  const [condition, what] =
    kind === "static"
      ? ["CANNOT_MODIFY_STATIC_CONFIG", "static Spark config"]
      : ["CANNOT_MODIFY_CONFIG", "Spark config"];
  throw new IllegalArgumentError(`[${condition}] Cannot modify the value of the ${what}: "${key}". SQLSTATE: 46110`, {
    remedy: "Set it before the session starts: Session.builder().config(…), or %%configure -f in a notebook.",
  });
}

/** A note: beside a cell it is a line like others, elsewhere it stays out of what a program prints. */
export function tell(text: string): void {
  if (kernelHost()) console.log(text);
  else console.warn(text);
}

/** What a session on Spark can't set. */
function servedText(keys: readonly string[]): string {
  return `Settings that a Spark server is started with, and a session can't set: ${keys.join(", ")}. They are left alone.`;
}

/** One line for settings that mean nothing here, with what stands for them. */
function unusedText(keys: readonly string[]): string {
  const groups = new Map<string, string[]>();
  for (const key of keys) {
    const found = foreignSetting(key);
    const about = (found.kind === "unused" && found.about) || "";
    groups.set(about, [...(groups.get(about) ?? []), key]);
  }
  const parts = [...groups].map(([about, names]) => `${names.join(", ")}${about === "" ? "" : ` (${about})`}`);
  return `Settings of Spark that mean nothing here, and are left alone: ${parts.join("; ")}.`;
}

function settingOf(key: SettingName): Setting {
  return SETTINGS[key];
}

function checkValue(key: SettingName, text: string): void {
  if (key === "spark.master") checkMaster(text);
  const { value } = settingOf(key);
  if (value && !value.test(text)) {
    throw new IllegalArgumentError(`${key} must be ${value.is}, not ${JSON.stringify(text)}.`);
  }
}
