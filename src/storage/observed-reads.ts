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

const observers = new AsyncLocalStorage<(read: ObservedRead) => void>();

/** Tells `observe` of all that `run`, and the work that it starts, reads; who observes around it is told too. */
export function observing<T>(observe: (read: ObservedRead) => void, run: () => T): T {
  const outer = observers.getStore();
  const both = (read: ObservedRead) => {
    observe(read);
    outer?.(read);
  };
  return observers.run(both, run);
}

/** Says what is read. */
export function observed(read: ObservedRead): void {
  observers.getStore()?.(read);
}

/** Says that one file is read. @param what in the user's words */
export async function observedFile(storage: Storage, url: Url, what: string = url): Promise<void> {
  if (!observers.getStore()) return;
  const status = await storage.stat(url);
  const files = status === undefined || status === "folder" ? [] : [status];
  observed({ kind: "files", what, how: { kind: "file", url }, files });
}
