import type { ColumnFunction } from "../data/batch-function";
import type { ShippedFile } from "../data/shipped-file";

/** What a worker keeps between tasks: functions that were set up, by what they are as JSON; the latest used last. */
export type FunctionCache = Map<string, Promise<ColumnFunction>>;

/** How many functions a worker keeps between tasks where nobody tells it that they are gone. */
const KEPT_FUNCTIONS = 32;

/** The function of that name, made where it is not there. */
export function cachedFunction(
  functions: FunctionCache,
  key: string,
  make: () => Promise<ColumnFunction>,
): Promise<ColumnFunction> {
  const created = functions.get(key) ?? make();
  functions.delete(key);
  functions.set(key, created);
  // A set-up that failed, say for want of memory, is tried afresh by the next attempt.
  created.catch(() => {
    if (functions.get(key) === created) functions.delete(key);
  });
  return created;
}

/** Takes out the functions that need what the driver no longer ships, for {@link closeFunctions}. */
export function takeFunctionsOf(file: ShippedFile, functions: FunctionCache): Promise<ColumnFunction>[] {
  return take(functions, namesShipped(functions, file));
}

/** Takes out the functions that were not used for longest. @param needed how many a task needs at once */
export function takeSurplus(functions: FunctionCache, needed: number): Promise<ColumnFunction>[] {
  return take(functions, [...functions.keys()].slice(0, -Math.max(KEPT_FUNCTIONS, needed)));
}

/** The keys, JSON all, in which a shipped file stands. */
export function namesShipped(functions: ReadonlyMap<string, unknown>, { sha256 }: ShippedFile): string[] {
  return [...functions.keys()].filter((key) => key.includes(sha256));
}

/** Frees what functions hold; no task may use them any more. */
export async function closeFunctions(functions: Iterable<Promise<ColumnFunction>>): Promise<void> {
  for (const created of functions) await created.then((fn) => fn.close?.()).catch(() => undefined);
}

function take(functions: FunctionCache, keys: readonly string[]): Promise<ColumnFunction>[] {
  return keys.map((key) => {
    const created = functions.get(key)!;
    functions.delete(key);
    return created;
  });
}
