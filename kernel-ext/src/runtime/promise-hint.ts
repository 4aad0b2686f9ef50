import { types } from "node:util";
import { isPending } from "./promise-state";

const METHODS = ["log", "info", "warn", "error", "debug"] as const;

const HINT =
  "A promise was printed, not its value, which is still being computed: console.log(await …) waits for it.\n";

/** Says beside a printed promise that is pending, as `console.log(df.count())` prints, what was most likely meant. */
export function hintAtPrintedPromises(): void {
  for (const method of METHODS) {
    const print = console[method];
    const printWithHint = (...values: unknown[]) => {
      print.apply(console, values);
      if (values.some(isUnfinished)) process.stderr.write(HINT);
    };
    console[method] = Object.defineProperty(printWithHint, "name", { value: method });
  }
}

function isUnfinished(value: unknown): boolean {
  // In a template or a sum it is a text.
  if (typeof value === "string") return value.includes("[object Promise]");
  return types.isPromise(value) && isPending(value);
}
