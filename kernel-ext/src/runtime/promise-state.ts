import { inspect } from "node:util";

/** Told by its text, because `then` would count as handling what a promise is rejected with. */
export function isPending(promise: Promise<unknown>): boolean {
  return /^Promise \{\s*<pending>/.test(inspect(promise, { depth: 0 }));
}

/** True for one that was fulfilled and gives no value. */
export function isEmpty(promise: Promise<unknown>): boolean {
  return /^Promise \{\s*undefined\b/.test(inspect(promise, { depth: 0 }));
}
