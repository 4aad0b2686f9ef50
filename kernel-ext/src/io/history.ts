import type { Content } from "../messages";

export interface History {
  add(count: number, source: string): void;
  /** The text of a result. */
  addOutput(count: number, text: string): void;
  /** The content of a `history_reply`. */
  answer(request: Content): Content;
}

interface Entry {
  readonly count: number;
  readonly source: string;
  output: string | null;
}

/**
 * The cells that this kernel ran, as IPython's history gives them; it has one session, 0.
 * @see https://jupyter-client.readthedocs.io/en/stable/messaging.html#history
 */
export function newHistory(): History {
  const entries: Entry[] = [];
  return {
    add: (count, source) => void entries.push({ count, source, output: null }),
    addOutput(count, text) {
      const entry = entries.at(-1)?.count === count ? entries.at(-1) : entries.find((one) => one.count === count);
      if (entry) entry.output = text;
    },
    answer(request) {
      const found = select(entries, request);
      const withOutput = request.output === true;
      const history = found.map(({ count, source, output }) => [
        SESSION,
        count,
        withOutput ? [source, output] : source,
      ]);
      return { status: "ok", history };
    },
  };
}

const SESSION = 0;

function select(entries: readonly Entry[], request: Content): readonly Entry[] {
  switch (request.hist_access_type) {
    case "range":
      return range(entries, request);
    case "search":
      return search(entries, request);
    default:
      return last(entries, integer(request.n));
  }
}

/** As IPython's `get_range`: `stop` is left out, negative numbers count from the end. */
function range(entries: readonly Entry[], { session, start, stop }: Content): readonly Entry[] {
  if ((integer(session) ?? SESSION) !== SESSION) return [];
  const end = (entries.at(-1)?.count ?? 0) + 1;
  const from = integer(start) ?? 1;
  const to = integer(stop) || end;
  const first = from < 0 ? from + end : from;
  const beyond = to < 0 ? to + end : to;
  return entries.filter(({ count }) => count >= first && count < beyond);
}

function search(entries: readonly Entry[], { pattern, n, unique }: Content): readonly Entry[] {
  const matches = glob(typeof pattern === "string" ? pattern : "*");
  const found = entries.filter(({ source }) => matches.test(source));
  const sources = new Map(found.map((entry) => [entry.source, entry]));
  return last(unique === true ? found.filter((entry) => sources.get(entry.source) === entry) : found, integer(n));
}

function last(entries: readonly Entry[], n: number | undefined): readonly Entry[] {
  return n === undefined ? entries : entries.slice(Math.max(0, entries.length - Math.max(0, n)));
}

/** SQLite's GLOB, which IPython's history is searched with: `*`, `?` and `[...]` over the whole text. */
function glob(pattern: string): RegExp {
  const source = pattern.replace(/\[(\^?)([^\]]+)\]|[\s\S]/g, (part, not?: string, set?: string) => {
    if (set !== undefined) return `[${not}${set.replace(/[\\\]^]/g, "\\$&")}]`;
    if (part === "*") return "[\\s\\S]*";
    if (part === "?") return "[\\s\\S]";
    return part.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  });
  return new RegExp(`^${source}$`, "u");
}

function integer(value: unknown): number | undefined {
  return Number.isInteger(value) ? (value as number) : undefined;
}
