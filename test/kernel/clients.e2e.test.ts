import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { venvProgram } from "../support/jupyter";
import { KERNEL_NAME, kernelspecFolder, type RunningServer, startJupyterServer } from "../support/jupyter-server";

/** The clients that people use, in their own programs: see test/support/kernel_client.py and services-client.mjs. */
const support = join(__dirname, "..", "support");
const jupyterPath = kernelspecFolder();
afterAll(() => rmSync(jupyterPath, { recursive: true, force: true }));

// biome-ignore lint/suspicious/noExplicitAny: JSON of the programs
type Seen = any;

async function seenBy(command: string, args: string[]): Promise<Seen> {
  const { stdout } = await promisify(execFile)(command, args, {
    env: { ...process.env, JUPYTER_PATH: jupyterPath },
    timeout: 500_000,
    maxBuffer: 1 << 26,
  });
  // @jupyterlab/services logs to stdout too.
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}

describe("jupyter_client", () => {
  let seen: Seen;
  beforeAll(async () => {
    seen = await seenBy(venvProgram("python"), [join(support, "kernel_client.py"), KERNEL_NAME]);
  });

  test("finds the kernel ready and knows its language", () => {
    expect(seen.info).toMatchObject({ status: "ok", protocol_version: "5.4", language_info: { name: "typescript" } });
  });

  test("executes, sees results and errors, and goes on after an error", () => {
    expect(seen.execute).toMatchObject({ status: "ok", stdout: "🍒\n", result: "42" });
    expect(seen.failed.content).toMatchObject({ status: "error", ename: "TypeError", evalue: "wrong" });
    expect(seen.failed.types).toContain("error");
    expect(seen.after).toMatchObject({ status: "ok", stdout: "goes on\n" });
  });

  test("interrupts with a message, and finds the state kept", () => {
    expect(seen.interrupt.ename).toBe("KeyboardInterrupt");
    expect(seen.kept.result).toBe("20");
  });

  test("answers input", () => {
    expect(seen.input.result).toBe("'ü> '");
  });

  test("completes", () => {
    expect(seen.complete).toMatchObject({ status: "ok", cursor_start: 5, cursor_end: 8 });
    expect(seen.complete.matches).toContain("toFixed");
  });

  test("exchanges comm messages with binary buffers", () => {
    expect(seen.comm).toEqual({ data: { n: 1 }, sizes: [3, 1 << 20], first: [0, 255, 128] });
  });

  test("may be two", () => {
    expect(seen.other).toMatchObject({ status: "ok", result: "21" });
  });

  test("restarts and shuts down", () => {
    expect(seen.restarted.result).toBe("'undefined'");
    expect([seen.alive, seen.alive_after]).toEqual([true, false]);
  });
});

describe("@jupyterlab/services with a Jupyter server", () => {
  let server: RunningServer;
  let seen: Seen;
  beforeAll(async () => {
    server = await startJupyterServer({ jupyterPath });
    seen = await seenBy(process.execPath, [
      join(support, "services-client.mjs"),
      server.baseUrl,
      server.token,
      KERNEL_NAME,
    ]);
  });
  afterAll(() => server?.stop());

  test("knows the language", () => {
    expect(seen.info).toMatchObject({ protocol_version: "5.4", language_info: { name: "typescript" } });
  });

  test("executes, sees results and errors", () => {
    expect(seen.execute).toMatchObject({ stdout: "🍒\n", result: "42" });
    expect(seen.failed.content).toMatchObject({ status: "error", ename: "TypeError" });
    expect(seen.failed.types).toEqual(["busy", "execute_input", "error", "idle"]);
  });

  test("loses nothing of a megabyte and of 20,000 lines", () => {
    expect(seen.megabyte).toBe(1 << 20);
    expect(seen.lines).toBe(20_000);
  });

  test("shows busy while a cell runs, though it answered something else", () => {
    expect([seen.statusWhileRunning, seen.statusAfterwards]).toEqual(["busy", "idle"]);
  });

  test("interrupts, and finds the state kept", () => {
    expect(seen.interrupt.ename).toBe("KeyboardInterrupt");
    expect(seen.kept).toBe("20");
  });

  test("completes and inspects", () => {
    expect(seen.complete.matches).toContain("toFixed");
    expect(seen.inspect).toMatchObject({ found: true });
    expect(seen.inspect.data["text/plain"]).toContain("kept: 20");
  });

  test("exchanges comm messages with binary buffers, and catches what a handler prints", () => {
    expect(seen.comm).toEqual({ data: { n: 1 }, sizes: [3, 1 << 20] });
    expect(seen.caught).toContain("stream");
    expect(seen.caught.at(-1)).toBe("idle");
  });

  test("may be two", () => {
    expect(seen.other).toBe("21");
  });

  test("restarts", () => {
    expect(seen.restarted).toBe("'undefined'");
    expect(isAlive(seen.pid)).toBe(false);
  });

  test("leaves no kernel behind when the server is killed", async () => {
    expect(isAlive(seen.lastPid)).toBe(true);
    await server.kill();
    await expect.poll(() => isAlive(seen.lastPid), { timeout: 120_000 }).toBe(false);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
