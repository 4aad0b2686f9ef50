import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DataFrame, Session } from "pomona";
import { col, lit, udf } from "pomona/functions";

/** Rows that go through a slow function beside executors of this machine, and where one sees how far they are. */
export interface SlowRows {
  /** Ids from 0; `parts` partitions. */
  of(session: Session, rows: number, parts: number): DataFrame<{ id: number }>;
  /** How many rows a function has begun since, in whatever attempt. */
  readonly begun: number;
  /** Lets no row end from when so many have begun on, until `release` is called, or `hold` with more. */
  hold(count: number): void;
  release(): void;
  /** Node processes that did them. */
  readonly pids: readonly number[];
  /** Where functions tell of the rows that they begin. */
  readonly marks: string;
  /** A path of its own, for what is written. */
  readonly out: string;
  /** What is there of it: names of files, without those that begin with a dot; none where there is no folder. */
  files(): string[];
  remove(): void;
}

const slow = udf(
  (id: number, marks: string) => {
    const fs = require("node:fs") as typeof import("node:fs");
    const sleep = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    const isHeld = () => {
      if (!fs.existsSync(`${marks}.held`)) return false;
      const begun = fs.readFileSync(marks, "utf8").split("\n").length - 1;
      return begun >= Number(fs.readFileSync(`${marks}.held`, "utf8"));
    };
    fs.appendFileSync(marks, `${process.pid}\n`);
    sleep(250);
    while (isHeld()) sleep(50);
    return id;
  },
  { returns: "long" },
);

export function slowRows(): SlowRows {
  const folder = mkdtempSync(join(tmpdir(), "pomona-slow-rows-"));
  const marks = join(folder, "marks");
  const out = join(folder, "out");
  const lines = () => (existsSync(marks) ? readFileSync(marks, "utf8").split("\n").filter(Boolean) : []);
  return {
    of: (session, rows, parts) =>
      session
        .range(0, rows)
        .repartition(parts)
        .select(slow(col("id"), lit(marks)).alias("id")),
    get begun() {
      return lines().length;
    },
    hold: (count) => writeFileSync(`${marks}.held`, String(count)),
    // Above any count: whoever looks for the file finds it.
    release: () => writeFileSync(`${marks}.held`, "Infinity"),
    get pids() {
      return [...new Set(lines().map(Number))];
    },
    marks,
    out,
    files: () => (existsSync(out) ? readdirSync(out, { recursive: true }).map(String) : []).filter(isShown),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function isShown(name: string): boolean {
  return !(name.split("/").at(-1) ?? "").startsWith(".");
}
