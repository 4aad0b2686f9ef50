import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newGate } from "../support/gate";
import { type RunningKernel, startKernel } from "../support/kernel";
import type { KernelMessage } from "../support/kernel-messages";

const argv = [process.execPath, join(__dirname, "scripted-main.mjs")];

/** The io thread by itself: what only shows with a main thread that does as the test says. */
describe("the io thread", () => {
  let kernel: RunningKernel;
  let unanswered: { readonly reply: Promise<KernelMessage> };
  beforeAll(async () => {
    kernel = await startKernel({ argv });
    const reply = kernel.request("complete_request", { code: "silence", cursor_pos: 3 });
    unanswered = { reply };
  });
  afterAll(() => kernel?.stop());

  test("sends busy, input, outputs, reply, idle in this order", async () => {
    const { iopub, reply } = await kernel.execute(
      `print("a"); publish("display_data", { data: {}, metadata: {} }); print("b")`,
    );
    expect(iopub.map(({ type, content }) => content.execution_state ?? content.text ?? type)).toEqual([
      "busy",
      "execute_input",
      "a",
      "display_data",
      "b",
      "idle",
    ]);
    expect(reply.content).toMatchObject({ status: "ok", execution_count: 1 });
    expect(iopub[1]!.content).toMatchObject({ execution_count: 1 });
  });

  test("keeps a character whole whose halves are printed apart, and replaces one that stays alone", async () => {
    const { outputs } = await kernel.execute(
      `print("\\ud83c"); await sleep(120); print("\\udf52 \\\\ud83c "); await sleep(120); print("\\ud83c")`,
    );
    expect(outputs.map(({ content }) => content.text).join("")).toBe("🍒 \\ud83c \ufffd");
  });

  test("tells the user that an interrupt does not help, and takes a second one", async () => {
    // Does not look at the stop flags, and is past the part that a signal breaks.
    const gate = newGate();
    const run = kernel.start(`await sleep(10); print("begun"); ${gate.spin} await sleep(300_000)`);
    await kernel.prints(run.id);
    await kernel.interrupt();
    const notice = await kernel.waitFor((m) => m.parent.msg_id === run.id && m.content.name === "stderr");
    expect(notice.content.text).toContain("Kernel > Restart");
    // Main hears of the first interrupt where the loop ends, and ends the cell; the second finds it in the loop.
    await kernel.interrupt();
    gate.open();
    expect((await run.done).reply.content).toMatchObject({ status: "error", ename: "KeyboardInterrupt" });
  });

  test("gives an empty answer where the language thread gives none", async () => {
    const reply = await unanswered.reply;
    expect(reply.type).toBe("complete_reply");
    expect(reply.content).toEqual({ status: "ok", matches: [], cursor_start: 3, cursor_end: 3, metadata: {} });
  });
});

test("cells wait until main is ready; kernel_info does not", async () => {
  const gate = newGate();
  const kernel = await startKernel({ argv, env: { SCRIPTED_READY_FILE: gate.path } });
  try {
    const run = kernel.start("1");
    await kernel.arrived();
    await sleep(200);
    expect(kernel.received.some(({ parent }) => parent.msg_id === run.id)).toBe(false);
    gate.open();
    expect((await run.done).reply.content.status).toBe("ok");
  } finally {
    await kernel.stop();
  }
});

test("a main thread that does not close is ended, what waits is aborted", async () => {
  const kernel = await startKernel({ argv, env: { SCRIPTED_STAYS_OPEN: "1" } });
  const running = kernel.start(`await sleep(10); print("begun"); for (;;);`);
  const waiting = kernel.start("1");
  await kernel.arrived();
  await kernel.prints(running.id);
  const reply = await kernel.request("shutdown_request", { restart: true }, { channel: "control" });
  expect(reply.content).toEqual({ status: "ok", restart: true });
  await kernel.waitFor((m) => m.channel === "iopub" && m.type === "shutdown_reply");
  expect((await running.done).reply.content.status).toBe("aborted");
  expect((await waiting.done).reply.content.status).toBe("aborted");
  await kernel.exited;
  expect(kernel.printed.stderr).toBe("");
  await kernel.stop();
});

test("ipc in place of tcp, and messages without signatures", async () => {
  const kernel = await startKernel({ argv, transport: "ipc", key: "" });
  try {
    const { stdout, reply } = await kernel.execute(`print("ü🍒")`);
    expect(stdout).toBe("ü🍒");
    expect(reply.signature).toBe("");
    await kernel.heartbeat();
  } finally {
    await kernel.stop();
  }
});

test("a taken port ends the kernel with a line that says so", async () => {
  const first = await startKernel({ argv });
  try {
    const { spawnSync } = await import("node:child_process");
    const second = spawnSync(argv[0]!, [...argv.slice(1), first.connectionFile], {
      encoding: "utf8",
      timeout: 120_000,
    });
    expect(second.stderr).toMatch(/^\[pomona\] The kernel can't start: .*in use/m);
    expect((await first.execute("1")).reply.content.status).toBe("ok");
  } finally {
    await first.stop();
  }
});

test("SIGINT from outside interrupts as a request does, and nothing when nothing runs", async () => {
  const kernel = await startKernel({ argv });
  try {
    await kernel.execute("1");
    for (let i = 0; i < 20; i++) kernel.process.kill("SIGINT");
    await sleep(100);
    for (const code of ["await sleep(300_000)", "while (true);", "await sleep(5); while (true) guard();"]) {
      const run = kernel.start(`print("begun"); ${code}`);
      await kernel.prints(run.id);
      kernel.process.kill("SIGINT");
      const { reply } = await run.done;
      expect(reply.content).toMatchObject({ status: "error", ename: "KeyboardInterrupt" });
    }
    expect((await kernel.execute("print('there')")).stdout).toBe("there");
  } finally {
    await kernel.stop();
  }
});
