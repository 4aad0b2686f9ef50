import { AsyncLocalStorage } from "node:async_hooks";
import type { Url } from "./location";
import type { FileStatus, Storage } from "./storage";

/** Something outside of the program that its work took in: what its result depends on besides the code. */
export type ObservedRead =
  /** Files. `how` finds them again; `what` is in the user's words. */
  | { readonly kind: "files"; readonly what: string; readonly how: FilesWanted; readonly files: readonly FileStatus[] }
  /** A name of SQL text, and the plan that it stood for. */
  | { readonly kind: "view"; readonly name: string; readonly plan: unknown };

/** A read of a plan, or one file by its URL. */
export type FilesWanted =
  | { readonly kind: "read"; readonly leaf: unknown; readonly settings: unknown }
  | { readonly kind: "file"; readonly url: string };

/** Emptied once its work is done: threads and timers that began meanwhile keep the object for good. */
interface Observer {
  observe: ((read: ObservedRead) => void) | undefined;
  outer: Observer | undefined;
}

const observers = new AsyncLocalStorage<Observer>();

/** Tells `observe` of all that `run`, and the work that it starts and waits for, reads; who observes around it is told too. */
export async function observing<T>(observe: (read: ObservedRead) => void, run: () => Promise<T>): Promise<T> {
  const observer: Observer = { observe, outer: observers.getStore() };
  try {
    return await observers.run(observer, run);
  } finally {
    observer.observe = undefined;
    observer.outer = undefined;
  }
}

/** Says what is read. */
export function observed(read: ObservedRead): void {
  for (let observer = observers.getStore(); observer; observer = observer.outer) observer.observe?.(read);
}

/** Says that one file is read. @param what in the user's words */
export async function observedFile(storage: Storage, url: Url, what: string = url): Promise<void> {
  if (!observers.getStore()) return;
  const status = await storage.stat(url);
  const files = status === undefined || status === "folder" ? [] : [status];
  observed({ kind: "files", what, how: { kind: "file", url }, files });
}
