import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { commandOf, newConnectionFile, type RunningKernel } from "../support/kernel";
import { openClient } from "../support/kernel-client";
import { belongsTo } from "../support/kernel-messages";
import { isAlive } from "../support/processes";
import { useKernel } from "../support/use-kernel";

/** How a kernel begins and ends. */
let kernel: RunningKernel;
const startOther = useKernel((started) => {
  kernel = started;
});

describe("beginning and end", () => {
  test("a subscriber is welcomed", async () => {
    const client = openClient(kernel.connection);
    const welcome = await client.waitFor(({ type }) => type === "iopub_welcome");
    expect(welcome).toMatchObject({ channel: "iopub", content: { subscription: "" }, parent: {} });
    client.close();
  });

  test("who subscribes while it starts is welcomed before all else, then told that it starts", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pomona-start-"));
    const { connection, file } = await newConnectionFile(folder);
    const client = openClient(connection);
    const [program, ...args] = commandOf();
    const own = spawn(program as string, [...args, file], { stdio: "ignore" });
    try {
      await client.waitFor(({ type }) => type === "status");
      expect(client.received.map(({ type, content }) => [type, content.execution_state])).toEqual([
        ["iopub_welcome", undefined],
        ["status", "starting"],
      ]);
    } finally {
      own.kill("SIGKILL");
      client.close();
      rmSync(folder, { recursive: true });
    }
  });

  test.each([true, false])(
    "shutdown_request with restart %s: answered, told to all, and the process ends",
    async (restart) => {
      const own = await startOther();
      const other = await own.connect();
      await own.execute("console.log('x')");
      const channel = restart ? "control" : "shell";
      const reply = await own.request("shutdown_request", { restart }, { channel });
      expect(reply.type).toBe("shutdown_reply");
      expect(reply.content).toEqual({ status: "ok", restart });
      await other.waitFor((m) => m.type === "shutdown_reply" && m.content.restart === restart);
      await own.exited;
      expect(own.printed.stderr).toBe("");
    },
  );

  test("shutdown ends the processes that cells started", async () => {
    const own = await startOther({ argv: ["setsid", ...commandOf()] });
    const run = await own.execute(
      'import { spawn } from "node:child_process"; const child = spawn("sleep", ["300"], { stdio: "ignore" }); child.pid',
    );
    const alive = () => isAlive(Number(run.result));
    expect(alive()).toBe(true);
    await own.request("shutdown_request", { restart: false }, { channel: "control" });
    await own.exited;
    await expect.poll(alive, { timeout: 120_000 }).toBe(false);
  });

  test("shutdown ends a busy loop", async () => {
    const own = await startOther();
    const run = own.start("while (true);");
    await own.waitFor((m) => belongsTo(run.id)(m) && m.type === "execute_input");
    await own.request("shutdown_request", { restart: false }, { channel: "control" });
    await own.exited;
  });

  test("SIGTERM ends it, and SIGINT does not", async () => {
    const own = await startOther();
    await own.execute("1");
    own.process.kill("SIGINT");
    await sleep(100);
    expect((await own.execute("console.log(1)")).stdout).toBe("1\n");
    own.process.kill("SIGTERM");
    await own.exited;
    expect(own.printed.stderr).toBe("");
  });

  test.each(["idle", "busy"])("a kernel that is %s ends after a parent that is killed", async (state) => {
    const folder = mkdtempSync(join(tmpdir(), "pomona-orphan-"));
    const { connection, file } = await newConnectionFile(folder);
    // A process in between starts the kernel and is then killed.
    const starter = `const { spawn } = require("child_process");
      console.log(spawn(process.argv[1], process.argv.slice(2), { stdio: "ignore" }).pid);
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ["-e", starter, ...commandOf(), file], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, JPY_PARENT_PID: undefined },
    });
    const pid = Number(await new Promise((resolve) => parent.stdout.once("data", (data) => resolve(String(data)))));
    const client = openClient(connection);
    try {
      await client.request("kernel_info_request");
      // What is published before the subscription reached the kernel is lost.
      await client.waitFor(({ type }) => type === "iopub_welcome");
      if (state === "busy") {
        const code = "await new Promise((done) => setTimeout(done, 5)); for (;;) JSON.stringify([1]);";
        const id = client.send("execute_request", { code });
        await client.waitFor((m) => belongsTo(id)(m) && m.type === "execute_input");
      }
      expect(isAlive(pid)).toBe(true);
      parent.kill("SIGKILL");
      await expect.poll(() => isAlive(pid), { timeout: 120_000 }).toBe(false);
    } finally {
      parent.kill("SIGKILL");
      if (isAlive(pid)) process.kill(pid, "SIGKILL");
      client.close();
      rmSync(folder, { recursive: true });
    }
  });

  test("a client that comes back under its identity is answered and asked, though its old connection is still there", async () => {
    const own = await startOther();
    const ask = 'prompt("name?")';
    expect((await own.execute(ask, { answer: () => "Ann" })).result).toBe("'Ann'");
    const again = openClient(own.connection, own.session);
    try {
      expect((await again.execute(ask, { answer: () => "Ben", timeout: 60_000 })).result).toBe("'Ben'");
      expect(
        (await again.request("kernel_info_request", {}, { channel: "control", timeout: 60_000 })).content,
      ).toMatchObject({ status: "ok" });
    } finally {
      again.close();
    }
  });
});
