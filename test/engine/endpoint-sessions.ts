import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Session } from "pomona";
import { col, lit, udf } from "pomona/functions";
import { afterAll, afterEach, expect } from "vitest";
import { KERNEL_NAME, kernelspecFolder, type RunningServer } from "../support/jupyter-server";

/** Sessions of one test at a time whose tasks run behind Jupyter servers, and a folder for what they write. */
export interface EndpointSessions {
  /** A path in the folder. */
  out(name: string): string;
  /** Where servers find this checkout's kernel, for `JUPYTER_PATH`. */
  readonly jupyterPath: string;
  start(endpoints: readonly object[], settings?: Record<string, string | number | boolean>): Promise<Session>;
  /** One on this machine, to compare with. */
  local(settings?: Record<string, string>): Promise<Session>;
  /** Ends the one that runs. */
  stop(): Promise<void>;
  /** The ids of {@link writeSlowly} are there, each once, and nothing else of the write. @returns the session that looked */
  expectWhole(path: string): Promise<Session>;
}

/** Ends the session of a test after it, and removes the folder at the end of the file. */
export function endpointSessions(): EndpointSessions {
  const folder = mkdtempSync(join(tmpdir(), "pomona-endpoints-"));
  const jupyterPath = kernelspecFolder();
  let session: Session | undefined;
  const stop = async () => {
    await session?.stop();
    session = undefined;
  };
  afterEach(stop);
  afterAll(() => {
    for (const each of [folder, jupyterPath]) rmSync(each, { recursive: true, force: true });
  });
  const local = async (settings: Record<string, string> = {}) => {
    session = await Session.builder()
      .master("local[2]")
      .config("pomona.progress", "off")
      .config(settings)
      .getOrCreate();
    return session;
  };
  return {
    out: (name) => join(folder, name),
    jupyterPath,
    async start(endpoints, settings = {}) {
      session = await Session.builder()
        .master("jupyter")
        .config("pomona.progress", "off")
        .config("pomona.endpoints", JSON.stringify(endpoints))
        .config(settings)
        .getOrCreate();
      return session;
    },
    local,
    stop,
    async expectWhole(path) {
      await stop();
      const here = await local();
      const rows = (await here.read.parquet(path).collect()) as { id: number }[];
      expect(rows.map(({ id }) => id).sort((a, b) => a - b)).toEqual(Array.from({ length: 160 }, (_, i) => i));
      expect(readdirSync(path).filter((name) => !name.startsWith("part-"))).toEqual(["_SUCCESS"]);
      expect(partsIn(path)).toHaveLength(16);
      return here;
    },
  };
}

/** An endpoint as a user writes it, with two slots. */
export const endpointOf = ({ baseUrl, token }: Pick<RunningServer, "baseUrl" | "token">, more: object = {}) => ({
  url: baseUrl,
  token,
  slots: 2,
  kernel: KERNEL_NAME,
  ...more,
});

/** The kernels that a server has. */
export async function kernels({ baseUrl, token }: RunningServer): Promise<{ id: string }[]> {
  const response = await fetch(`${baseUrl}api/kernels`, { headers: { Authorization: `token ${token}` } });
  return (await response.json()) as { id: string }[];
}

/** The processes that a server started and that run. */
export function kernelProcesses({ pid }: RunningServer): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
}

export const partsIn = (path: string) =>
  readdirSync(path)
    .filter((name) => name.startsWith("part-"))
    .sort()
    .map((name) => join(path, name));

const slow = udf(
  (id: number, held: string) => {
    const { existsSync } = require("node:fs") as typeof import("node:fs");
    do Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    while (held !== "" && existsSync(held));
    return id;
  },
  { returns: "long" },
);

/** Writes 160 slow rows in 16 parts. @param held a file: no row ends while it is there */
export function writeSlowly(of: Session, path: string, held = ""): Promise<unknown> {
  const rows = of.range(0, 160).repartition(16);
  return rows.select(slow(col("id"), lit(held)).alias("id")).write.parquet(path);
}

/** Resolves when all of the session's machines take tasks: a start waits for one, and a while for the others. */
export async function allReady(of: Session): Promise<void> {
  await expect.poll(() => of.workers().filter(({ state }) => state !== "ready")).toEqual([]);
}

/** Resolves when the session's tasks are under way. */
export function underWay(of: Session): Promise<void> {
  return new Promise((resolve) => {
    let ended = 0;
    of.onEvent((event) => {
      if (event.type === "taskEnded" && ++ended === 2) resolve();
    });
  });
}

/** Writes 400 slow rows in 40 parts, or 40 in 4 where `brief`, by a driver in a process of its own whose lease is 4 s. */
export function startDriver(endpoints: readonly object[], path: string, settings: object = {}, brief = false) {
  const args = [
    join(__dirname, "jupyter-driver.cjs"),
    JSON.stringify(endpoints),
    path,
    JSON.stringify(settings),
    ...(brief ? ["brief"] : []),
  ];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let [output, errors] = ["", ""];
  const underWay = new Promise<void>((resolve) => {
    child.stdout.on("data", (text: Buffer) => {
      output += String(text);
      if (output.includes("a task ended")) resolve();
    });
  });
  child.stderr.on("data", (text: Buffer) => {
    errors += String(text);
  });
  const code = new Promise<number | null>((resolve) => child.once("close", resolve));
  const kill = (signal: NodeJS.Signals) => child.kill(signal);
  return { kill, underWay, code, output: () => output, errors: () => errors };
}
