import { createHash, type Hash } from "node:crypto";
import { packageVersion } from "./known-values";

/** A part's own state: digests of parts do not depend on one another. */
export interface Writing {
  readonly hash: Hash;
  readonly seen: Map<object, number>;
  /** Numbers of plans, which are given as they are made. */
  readonly plans: Map<unknown, number>;
  /** Whether this is inside of what this package made, whose fields it knows. */
  isOwn: boolean;
}

export function begun(): Writing {
  return { hash: createHash("sha256"), seen: new Map(), plans: new Map(), isOwn: false };
}

/** Each with its length, so that two texts are never taken for another two. */
export function put({ hash }: Writing, kind: string, words = ""): void {
  // In UTF-8 all halves of characters are one.
  const text = /\p{Surrogate}/u.test(words) ? `\\${JSON.stringify(words)}` : words;
  hash.update(`${kind} ${text.length}:${text}\n`);
}

export function numberOf({ plans }: Writing, id: unknown): number {
  const number = plans.get(id) ?? plans.size;
  plans.set(id, number);
  return number;
}

/** What in a plan differs from run to run: how plans and cached frames are numbered, the cell of a function, where the spool is. */
export function isRunsOwn(to: Writing, holder: object, key: string): boolean {
  const { kind, op, code, sha256: digest, specifier } = holder as Readonly<Record<string, unknown>>;
  const isFunction = kind === "source" && typeof code === "string";
  if (key === "cellOrigin") return isFunction;
  if (!to.isOwn && !("names" in holder)) return false;
  if (key === "planId") return op !== undefined || kind === "column" || kind === "star";
  if (key === "id") return op === "cached";
  if (key === "url") return typeof digest === "string" && "bytes" in holder;
  return key === "home" && typeof specifier === "string";
}

/** The packages that a bundled module leaves where they are, in their versions. */
export function homeText(home: unknown): string {
  const { root, packages } = (home ?? {}) as { readonly root?: string; readonly packages?: readonly string[] };
  return JSON.stringify((packages ?? []).map((name) => packageVersion(name, root ?? process.cwd()) ?? name));
}
