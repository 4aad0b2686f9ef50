import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { newGate } from "../support/gate";
import type { RunningKernel } from "../support/kernel";
import { belongsTo, isStatus, type KernelMessage } from "../support/kernel-messages";
import { useKernel } from "../support/use-kernel";

/** Cells, as clients run them: options, order, input, interrupts. */
let kernel: RunningKernel;
useKernel((started) => {
  kernel = started;
});

const states = (messages: readonly KernelMessage[]) =>
  messages.filter(({ type }) => type === "status").map(({ content }) => content.execution_state as string);

describe("options of an execution", () => {
  const last = async () => (await kernel.execute("0")).reply.content.execution_count as number;

  test("silent: no input, no result, not counted, not in the history", async () => {
    const count = await last();
    const { iopub, outputs } = await kernel.execute("'quiet'", { silent: true });
    expect(iopub.map(({ type }) => type)).not.toContain("execute_input");
    expect(outputs).toEqual([]);
    expect(await last()).toBe(count + 1);
    const { content } = await kernel.request("history_request", { hist_access_type: "search", pattern: "*quiet*" });
    expect(content.history).toEqual([]);
  });

  test("store_history false: outputs, but not counted and not in the history", async () => {
    const count = await last();
    const { result, iopub } = await kernel.execute("'unstored'", { store_history: false });
    expect(result).toBe("'unstored'");
    expect(iopub.map(({ type }) => type)).toContain("execute_input");
    expect(await last()).toBe(count + 1);
    const { content } = await kernel.request("history_request", { hist_access_type: "search", pattern: "*unstored*" });
    expect(content.history).toEqual([]);
  });

  test("user_expressions: each by itself, errors too", async () => {
    const { reply } = await kernel.execute("const seven = 7", {
      user_expressions: { twice: "seven * 2", bad: "seven.nothing.at.all" },
    });
    const { twice, bad } = reply.content.user_expressions;
    expect(twice).toMatchObject({ status: "ok", data: { "text/plain": "14" } });
    expect(bad).toMatchObject({ status: "error" });
    expect(reply.content.status).toBe("ok");
  });
});

describe("the queue", () => {
  test("an error aborts what waits, and nothing that comes after its reply", async () => {
    const gate = newGate();
    const failing = kernel.start(`${gate.wait} throw new RangeError('no')`);
    const waiting = Array.from({ length: 5 }, (_, i) => kernel.start(`console.log("never ${i}")`));
    await kernel.arrived();
    gate.open();
    const { reply } = await failing.done;
    const next = kernel.start("console.log('after')");
    expect(reply.content).toMatchObject({ status: "error", ename: "RangeError", evalue: "no" });
    for (const { done } of waiting) {
      const aborted = await done;
      expect(aborted.reply.content.status).toBe("aborted");
      expect(states(aborted.iopub)).toEqual(["busy", "idle"]);
      expect(aborted.outputs).toEqual([]);
    }
    expect((await next.done).stdout).toBe("after\n");
  });

  test("stop_on_error false aborts nothing", async () => {
    const failing = kernel.start("throw new Error('no')", { stop_on_error: false });
    const next = kernel.start("console.log('goes on')");
    expect((await failing.done).reply.content.status).toBe("error");
    expect((await next.done).stdout).toBe("goes on\n");
  });

  test("runs one cell after the other", async () => {
    const slow = kernel.start("await new Promise((done) => setTimeout(done, 200)); console.log('first')");
    const fast = kernel.start("console.log('second')");
    await Promise.all([slow.done, fast.done]);
    const order = kernel.received.filter(
      ({ type, parent }) => type === "stream" && [slow.id, fast.id].includes(parent.msg_id!),
    );
    expect(order.map(({ content }) => content.text)).toEqual(["first\n", "second\n"]);
  });

  test("shows busy again after another request was answered in the middle of a cell", async () => {
    const gate = newGate();
    const run = kernel.start(gate.wait);
    await kernel.waitFor((m) => belongsTo(run.id)(m) && isStatus(m, "busy"));
    const asked = kernel.send("kernel_info_request", {});
    await kernel.waitFor((m) => belongsTo(asked)(m) && isStatus(m, "idle"));
    gate.open();
    const { iopub } = await run.done;
    expect(states(iopub)).toEqual(["busy", "busy", "idle"]);
  });
});

describe("input", () => {
  test("is asked of the client whose cell runs, and answered", async () => {
    const other = await kernel.connect();
    const { result } = await other.execute(`prompt("name? ") + "/" + prompt("surname? ")`, {
      answer: (prompt) => `<${prompt}> ü🍒`,
    });
    expect(result).toBe("'<name? > ü🍒/<surname? > ü🍒'");
    expect(kernel.received.some(({ type }) => type === "input_request")).toBe(false);
  });

  test("without standing still", async () => {
    const { stdout } = await kernel.execute(
      `let ticks = 0; const timer = setInterval(() => ticks++, 5); const line = await readLine("? "); clearInterval(timer); console.log(line);`,
      { answer: (prompt) => `${prompt}!` },
    );
    expect(stdout).toBe("? !\n");
  });

  test("is refused at once where the client allows none", async () => {
    const { reply } = await kernel.execute(`prompt("name? ")`, { allow_stdin: false });
    expect(reply.content).toMatchObject({ status: "error", ename: "InputNotAllowedError" });
  });

  test("can be interrupted, and asked for again", async () => {
    for (const code of [`prompt("first? ")`, `await readLine("second? ")`]) {
      const run = kernel.start(code, { allow_stdin: true });
      await kernel.waitFor((m) => belongsTo(run.id)(m) && m.type === "input_request");
      await kernel.interrupt();
      const { reply } = await run.done;
      expect(reply.content).toMatchObject({ status: "error", ename: "KeyboardInterrupt" });
    }
    expect((await kernel.execute(`prompt("third? ")`, { answer: () => "there" })).result).toBe("'there'");
  });
});

describe("a busy loop", () => {
  test.each([
    ["before any await", "while (true);"],
    ["after an await", "await new Promise((done) => setTimeout(done, 5)); while (true);"],
    ["in a library", "JSON.parse('[' + '1,'.repeat(1e6) + '1]', function loop(): any { for (;;); })"],
    ["that only waits", "await new Promise(() => {});"],
    ["that prints without end", "for (;;) console.log('a line');"],
  ])("%s: hearts beat on, an interrupt ends it, variables stay", async (_, code) => {
    await kernel.execute("let kept = 1;");
    const run = kernel.start(code);
    await kernel.waitFor((m) => belongsTo(run.id)(m) && m.type === "execute_input");
    await sleep(150);
    for (let i = 0; i < 3; i++) await kernel.heartbeat();
    expect((await kernel.interrupt()).content.status).toBe("ok");
    const { reply } = await run.done;
    expect(reply.content).toMatchObject({ status: "error", ename: "KeyboardInterrupt" });
    expect((await kernel.execute("kept + 1")).result).toBe("2");
  });
});
