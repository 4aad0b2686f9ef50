import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { col, udf } from "pomona/functions";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { column, type FunctionsOnSpark, functionsOn, selected, sql } from "../../support/functions-on-spark";
import { type SparkServer, sparkServer } from "../../support/spark";

/** What an executor's own scripts run; Node is not among it. */
const TOOLS = ["sh", "bash", "tar", "gzip", "cat", "env", "uname", "ldd", "ls", "chmod", "rm", "cp", "dirname", "nice"];

describe("functions on a cluster whose executors have neither Node nor this package", () => {
  let folder: string;
  let server: SparkServer;
  let functions: FunctionsOnSpark;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "pomona-no-node-"));
    const bin = join(folder, "bin");
    mkdirSync(bin);
    for (const tool of TOOLS) symlinkSync(execFileSync("which", [tool], { encoding: "utf8" }).trim(), join(bin, tool));
    server = await sparkServer("cluster", {
      "spark.executorEnv.PATH": bin,
      "spark.executorEnv.POMONA_HOME": folder,
    });
    functions = functionsOn(server.url);
  }, 600_000);
  afterAll(async () => {
    await functions?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("run on this machine's Node, which is sent to them with the program", async () => {
    const where = udf((id: number) => `${id} ${process.execPath} ${process.version}`, { returns: "string" });
    const rows = await functions.rowsOf({
      input: sql("select id from range(0, 40, 1, 8)"),
      columns: "id long",
      steps: [column(where(col("id")), ["id"], "out", "string"), selected("out")],
      returns: "out string",
    });
    expect(rows).toHaveLength(40);
    const paths = new Set(rows.map(({ out }) => String(out).split(" ")[1]));
    // Each of the two executors has its own.
    expect(paths.size).toBe(2);
    for (const path of paths) expect(path).toMatch(/\/node-v[\d.]+-\w+-\w+-\w+\/node$/);
    expect(String(rows[0]!.out)).toContain(` ${process.version}`);
  }, 300_000);

  it("are tried again where their process is killed in the middle of a task: no row lacks, none comes twice", async () => {
    const once = join(folder, "killed");
    writeFileSync(once, "");
    const f = udf(
      (id: number, mark: string) => {
        const fs = require("node:fs") as typeof import("node:fs");
        if (id === 777 && fs.existsSync(mark)) {
          fs.rmSync(mark);
          process.kill(process.pid, "SIGKILL");
        }
        return id;
      },
      { returns: "long" },
    );
    const rows = await functions.rowsOf({
      input: sql(`select id, '${once}' mark from range(0, 1000, 1, 4)`),
      columns: "id long, mark string",
      steps: [column(f(col("id"), col("mark")), ["id", "mark"], "out", "long"), selected("out")],
      returns: "out long",
    });
    expect(rows.map(({ out }) => Number(out)).sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  }, 300_000);
});
