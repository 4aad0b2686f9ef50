import type { Session } from "pomona";

/** From which of the package's entries each global comes; `../../prelude.d.ts` gives their types. */
const SOURCES = {
  pomona: ["Session", "SparkSession", "SparkContext", "SparkConf", "memo"],
  "pomona/functions": ["col", "lit", "when", "split", "elementAt", "udf", "batchUdf", "fromModule"],
  "pomona/models": ["mobileNetV2", "vgg16", "resNet50", "efficientNetB0"],
  "pomona/ml": ["StandardScaler", "PCA", "KMeans", "Pipeline", "StringIndexer", "VectorAssembler"],
  "pomona/notebook": ["display", "updateDisplay", "clearOutput", "html", "svg", "markdown", "prompt", "readLine"],
} as const;

/**
 * Puts a notebook's usual names into the global scope. Each is looked up at its first use, so that the kernel starts without
 * loading the package.
 */
export function defineGlobals(session: () => Session): void {
  for (const [entry, names] of Object.entries(SOURCES)) {
    for (const name of names) defineLazily(name, () => (require(entry) as Record<string, unknown>)[name]);
  }
  defineLazily("F", () => require("pomona/functions"));
  // Not kept: after `%%cleanup` or `session.stop()` the next use starts a new one.
  for (const name of ["session", "spark"]) defineAnew(name, session);
  for (const name of ["sc", "sparkContext"]) defineAnew(name, () => session().sparkContext);
}

function defineAnew(name: string, get: () => unknown): void {
  Object.defineProperty(globalThis, name, { configurable: true, get, set: replaceBy(name) });
}

function defineLazily(name: string, load: () => unknown): void {
  Object.defineProperty(globalThis, name, {
    configurable: true,
    get() {
      const value = load();
      replaceBy(name)(value);
      return value;
    },
    set: replaceBy(name),
  });
}

function replaceBy(name: string): (value: unknown) => void {
  return (value) => {
    Object.defineProperty(globalThis, name, { configurable: true, writable: true, value });
  };
}
