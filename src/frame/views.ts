import { IllegalArgumentError } from "../errors";
import type { Plan } from "./plan";
import type { Runtime } from "./runtime";

/** The views of each session, by what its DataFrames run on. */
const views = new WeakMap<Runtime, Map<string, Plan>>();

/** Named DataFrames for SQL text. */
export function viewsOf(runtime: Runtime): Map<string, Plan> {
  const found = views.get(runtime) ?? new Map<string, Plan>();
  views.set(runtime, found);
  return found;
}

/** A view by its name, in any case, as in SQL. */
export function viewNamed(views: ReadonlyMap<string, Plan>, name: string): Plan | undefined {
  const exact = views.get(name);
  return exact ?? [...views].find(([other]) => other.toLowerCase() === name.toLowerCase())?.[1];
}

/** @throws IllegalArgumentError for what is no name */
export function checkedViewName(name: unknown): string {
  if (typeof name === "string" && name.trim() !== "") return name;
  throw new IllegalArgumentError(`A view needs a name, not ${JSON.stringify(name)}.`, {
    remedy: 'E.g. df.createOrReplaceTempView("fruits").',
  });
}
