import { Session } from "../../src/session/session";
import { sparkServer } from "../support/spark";

/** An engine that the suite runs on. */
export interface ConformingEngine {
  readonly name: string;
  readonly open: () => Promise<Session>;
  /** Refusals by name that this engine owes nobody: it can do less than Spark here. */
  readonly cannot: ReadonlySet<string>;
  /** The version of Spark that it is itself: all cases are identical with its answers. */
  readonly spark?: "4.0";
}

const on = async (master: string) => Session.builder().appName("conformance").master(master).getOrCreate();

/** The engine of this machine. */
export const LOCAL: ConformingEngine = {
  name: "local[2]",
  open: () => on("local[2]"),
  cannot: new Set([
    "UNSUPPORTED_PATTERN",
    "UNSUPPORTED_FEATURE",
    "UNSUPPORTED_DATETIME_PATTERN",
    "INVALID_UTF8_STRING",
  ]),
};

/** Spark itself, by Spark Connect. */
export const SPARK: ConformingEngine = {
  name: "sc:// (Spark 4.0)",
  open: async () => on((await sparkServer("local")).url),
  cannot: new Set(),
  spark: "4.0",
};
