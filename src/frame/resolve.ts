import { AmbiguousColumnError, UnresolvedColumnError } from "./analysis-error";

/** What a name in an expression means: a column of the input, and the fields inside it for a name such as `a.b`. */
export interface ResolvedName {
  /** Position among the input's columns. */
  readonly index: number;
  /** The column's own spelling. */
  readonly column: string;
  readonly fields: readonly string[];
}

/**
 * The column a name means, in its own spelling. Case does not matter, as in Spark; `a.b` means `a` where there is no
 * column of that whole name.
 * @throws UnresolvedColumnError @throws AmbiguousColumnError
 */
export function resolveColumn(name: string, available: readonly string[]): string {
  return resolveName(name, available).column;
}

/** Like {@link resolveColumn}, with the position and the fields. */
export function resolveName(name: string, available: readonly string[]): ResolvedName {
  const whole = matching(name, available);
  if (whole.length > 0) return single(name, whole, available, []);
  const [head = name, ...fields] = nameParts(name);
  const matches = matching(head, available);
  if (matches.length === 0) throw new UnresolvedColumnError(name, available);
  return single(name, matches, available, fields);
}

/** The positions of the columns that a whole name fits; none is no error. */
export function matching(name: string, available: readonly string[]): number[] {
  const wanted = name.toLowerCase();
  return available.flatMap((column, index) => (column.toLowerCase() === wanted ? [index] : []));
}

/** `a.b` is `["a", "b"]`; backquotes keep dots inside a part and are taken off. */
export function nameParts(name: string): string[] {
  const parts = name.match(/`(?:[^`]|``)+`|[^.`]+/g) ?? [name];
  return parts.map((part) => (part.startsWith("`") ? part.slice(1, -1).replaceAll("``", "`") : part));
}

function single(name: string, matches: readonly number[], available: readonly string[], fields: readonly string[]) {
  const [index] = matches;
  if (matches.length > 1 || index === undefined) {
    throw new AmbiguousColumnError(
      name,
      matches.map((i) => available[i] ?? ""),
    );
  }
  return { index, column: available[index] ?? "", fields };
}
