import type { SessionBuilder } from "pomona";
import { nearest } from "pomona/kernel";
import { ConfigureError } from "../magics/errors";

/** The settings of `%%configure`, named as Livy's and sparkmagic's. */
export interface SessionSettings {
  /** The application's name. */
  readonly name?: string;
  /** Where work runs, such as `local[2]` or `jupyter://host:8888`. */
  readonly master?: string;
  /** Jupyter servers whose machines run tasks, as `pomona.endpoints` has them. */
  readonly endpoints?: readonly object[];
  /** Settings by name, such as `spark.task.maxFailures`. */
  readonly conf?: Readonly<Record<string, string | number | boolean>>;
}

const KEYS = ["name", "master", "endpoints", "conf"] as const;

/** Livy's keys beside those, as notebooks of clusters have them, and the settings of Spark that they stand for. */
const LIVY_KEYS: Readonly<Record<string, string>> = {
  driverMemory: "spark.driver.memory",
  driverCores: "spark.driver.cores",
  executorMemory: "spark.executor.memory",
  executorCores: "spark.executor.cores",
  numExecutors: "spark.executor.instances",
  queue: "spark.yarn.queue",
  jars: "spark.jars",
  pyFiles: "spark.submit.pyFiles",
  files: "spark.files",
  archives: "spark.archives",
};

/**
 * The settings that a cell gives as JSON.
 * @see https://livy.apache.org/docs/latest/rest-api.html#post-sessions for Livy's keys
 * @throws ConfigureError
 */
export function parseSettings(text: string): SessionSettings {
  const settings = withoutLivyKeys(jsonObject(text));
  for (const key of Object.keys(settings)) {
    if ((KEYS as readonly string[]).includes(key)) continue;
    const near = key.startsWith("spark.") || key.startsWith("pomona.") ? undefined : nearest(key, KEYS)[0];
    const meant = near === undefined ? "" : `Did you mean "${near}"? `;
    throw new ConfigureError(`There is no key ${JSON.stringify(key)} in the settings.`, {
      remedy: `${meant}Known: ${KEYS.join(", ")}. Settings by name, such as spark.task.maxFailures, go into "conf".`,
    });
  }
  const { name, master, endpoints, conf } = settings;
  for (const [key, value] of Object.entries({ name, master })) {
    if (value === undefined || (typeof value === "string" && value !== "")) continue;
    throw new ConfigureError(
      `"${key}" must be text, not ${typeof value === "object" ? kindOf(value) : JSON.stringify(value)}.`,
    );
  }
  if (endpoints !== undefined && !(Array.isArray(endpoints) && endpoints.every(isObject))) {
    throw new ConfigureError('"endpoints" must be a list of objects, [{ "url": "http://host:8888", "token": … }].');
  }
  if (conf !== undefined && !isObject(conf)) {
    throw new ConfigureError(`"conf" must be an object of settings by name, not ${kindOf(conf)}.`);
  }
  for (const [key, value] of Object.entries(conf ?? {})) {
    if (["string", "number", "boolean"].includes(typeof value)) continue;
    throw new ConfigureError(`${key} must be text, a number or true or false, not ${kindOf(value)}.`);
  }
  return settings;
}

/** Livy's keys as the settings they stand for; `conf` has the last word. */
function withoutLivyKeys(settings: Record<string, unknown>): Record<string, unknown> {
  const meant: Record<string, unknown> = {};
  const others: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(settings)) {
    const setting = Object.hasOwn(LIVY_KEYS, key) ? LIVY_KEYS[key] : undefined;
    if (setting === undefined) others[key] = value;
    else meant[setting] = Array.isArray(value) ? value.join(",") : value;
  }
  if (Object.keys(meant).length === 0 || (others.conf !== undefined && !isObject(others.conf))) return others;
  return { ...others, conf: { ...meant, ...others.conf } };
}

/** Puts settings into a builder, which checks them when they are used. */
export function withSettings(
  builder: SessionBuilder,
  { name, master, endpoints, conf = {} }: SessionSettings,
): SessionBuilder {
  if (endpoints !== undefined) builder.config("pomona.endpoints", JSON.stringify(endpoints)).master("jupyter");
  for (const [key, value] of Object.entries(conf)) builder.config(key, value);
  if (name !== undefined) builder.appName(name);
  if (master !== undefined) builder.master(master);
  return builder;
}

function jsonObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ConfigureError(`The settings are no JSON: ${withoutExcerpt((error as Error).message)}.`, {
      remedy: 'Write them as { "name": "fruits", "master": "local[2]", "conf": { "spark.task.maxFailures": 2 } }.',
    });
  }
  if (!isObject(value)) throw new ConfigureError("The settings must be a JSON object, { ... }.");
  return value;
}

/** V8 repeats the text around the fault, in which a secret may stand. */
function withoutExcerpt(message: string): string {
  return message.replace(/,? ?(?:\.\.\.)?".*is not valid JSON$/s, "");
}

/** What a value is, without saying it: it may be a secret. */
function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
