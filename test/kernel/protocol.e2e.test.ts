import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  commandOf,
  isStatus,
  type KernelMessage,
  newConnectionFile,
  openClient,
  type RunningKernel,
  startKernel,
} from "../support/kernel";

/** Against the kernel as it runs: what goes over the sockets. */
let kernel: RunningKernel;
/** Kernels of a single test. */
const others: RunningKernel[] = [];
const startOther = async () => {
  const other = await startKernel();
  others.push(other);
  return other;
};
const start = async () => {
  kernel = await startKernel();
  await kernel.execute(HOST);
};
beforeAll(start);
afterAll(() => kernel?.stop());
// One failure is enough: the next test gets a kernel that works.
afterEach(async ({ task }) => {
  await Promise.all(others.splice(0).map((other) => other.stop()));
  if (task.result?.state !== "fail") return;
  await kernel?.stop();
  await start();
});

const HOST = `const host = (globalThis as any)[Symbol.for("pomona.kernel")];`;

const of = (id: string) => (message: KernelMessage) => message.parent.msg_id === id;
const states = (messages: readonly KernelMessage[]) =>
  messages.filter(({ type }) => type === "status").map(({ content }) => content.execution_state as string);
/** The kernel still runs cells and answers. */
async function expectAlive(): Promise<void> {
  expect((await kernel.execute("console.log(6 * 7)")).stdout).toBe("42\n");
}

describe("each request is answered", () => {
  test("kernel_info_request", async () => {
    const { type, content } = await kernel.request("kernel_info_request");
    expect(type).toBe("kernel_info_reply");
    expect(content).toMatchObject({ status: "ok", protocol_version: "5.4", implementation: "pomona" });
    expect(content.language_info).toMatchObject({
      name: "typescript",
      file_extension: ".ts",
      mimetype: "text/typescript",
    });
    expect((await kernel.request("kernel_info_request", {}, { channel: "control" })).type).toBe("kernel_info_reply");
  });

  test("execute_request: busy, input, outputs, reply, idle, in this order and with one session", async () => {
    const { reply, iopub, result } = await kernel.execute("console.log('a'); console.error('b'); 'c'");
    expect(reply.type).toBe("execute_reply");
    expect(reply.content).toMatchObject({ status: "ok", payload: [], user_expressions: {} });
    expect(reply.metadata.started).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect(iopub.map(({ type, content }) => content.execution_state ?? content.name ?? type)).toEqual([
      "busy",
      "execute_input",
      "stdout",
      "stderr",
      "execute_result",
      "idle",
    ]);
    expect(result).toBe("'c'");
    const input = iopub[1]!.content;
    expect(input).toEqual({
      code: expect.stringContaining("console.log"),
      execution_count: reply.content.execution_count,
    });
    expect(iopub[4]!.content.execution_count).toBe(reply.content.execution_count);
    for (const { header, parent } of [reply, ...iopub]) {
      expect(header).toMatchObject({ session: reply.header.session, version: "5.4" });
      expect(Math.abs(Date.now() - Date.parse(header.date!))).toBeLessThan(60_000);
      expect(parent.session).toBe(kernel.session);
    }
    expect(new Set(iopub.map(({ header }) => header.msg_id)).size).toBe(iopub.length);
  });

  test("complete_request, inspect_request and is_complete_request, also while a cell runs", async () => {
    await kernel.execute("const basket = { apple: 1, apricot: 2 };");
    const ask = async () => {
      const complete = await kernel.request("complete_request", { code: "basket.ap", cursor_pos: 9 });
      expect(complete.type).toBe("complete_reply");
      expect(complete.content).toMatchObject({ status: "ok", cursor_start: 7, cursor_end: 9 });
      expect(complete.content.matches).toEqual(expect.arrayContaining(["apple", "apricot"]));
      const inspect = await kernel.request("inspect_request", { code: "basket.apple", cursor_pos: 9, detail_level: 0 });
      expect(inspect.type).toBe("inspect_reply");
      expect(inspect.content).toMatchObject({ status: "ok", found: true });
      expect(inspect.content.data["text/plain"]).toContain("apple: number");
      const open = await kernel.request("is_complete_request", { code: "function f() {" });
      expect(open.type).toBe("is_complete_reply");
      expect(open.content.status).toBe("incomplete");
      expect((await kernel.request("is_complete_request", { code: "1 + 1" })).content.status).toBe("complete");
    };
    await ask();
    const run = kernel.start("while (true);");
    await kernel.waitFor((m) => of(run.id)(m) && m.type === "execute_input");
    await ask();
    expect(kernel.received.some((m) => of(run.id)(m) && m.type === "execute_reply")).toBe(false);
    await kernel.interrupt();
    await run.done;
  });

  test("cursors count characters, not UTF-16 units", async () => {
    const before = 'const fruit = "🍒🍒🍒"; fruit.toUpp';
    const { content } = await kernel.request("complete_request", { code: before, cursor_pos: [...before].length });
    expect(content.matches).toContain("toUpperCase");
    expect([content.cursor_start, content.cursor_end]).toEqual([[...before].length - 5, [...before].length]);
  });

  test("history_request: tail, range, search, with output, unique and n", async () => {
    const one = await kernel.execute("'needle ' + 1");
    for (const code of ["'needle ' + 2", "'needle ' + 1", "'hay'"]) await kernel.execute(code);
    const count = one.reply.content.execution_count as number;
    const ask = async (content: object) =>
      (await kernel.request("history_request", { raw: true, output: false, ...content })).content.history;
    expect(await ask({ hist_access_type: "tail", n: 2 })).toEqual([
      [0, count + 2, "'needle ' + 1"],
      [0, count + 3, "'hay'"],
    ]);
    expect(await ask({ hist_access_type: "range", session: 0, start: count, stop: count + 2, output: true })).toEqual([
      [0, count, ["'needle ' + 1", "'needle 1'"]],
      [0, count + 1, ["'needle ' + 2", "'needle 2'"]],
    ]);
    const lines = (found: [number, number, string][]) => found.map(([, line]) => line);
    expect(lines(await ask({ hist_access_type: "search", pattern: "*needle*[12]" }))).toEqual([
      count,
      count + 1,
      count + 2,
    ]);
    expect(lines(await ask({ hist_access_type: "search", pattern: "*needle ' + ?", unique: true }))).toEqual([
      count + 1,
      count + 2,
    ]);
    expect(lines(await ask({ hist_access_type: "search", pattern: "*needle*", n: 1 }))).toEqual([count + 2]);
    expect(await ask({ hist_access_type: "search", pattern: "needle" })).toEqual([]);
  });

  test("connect_request", async () => {
    const { type, content } = await kernel.request("connect_request");
    expect(type).toBe("connect_reply");
    const { shell_port, iopub_port, stdin_port, control_port, hb_port } = kernel.connection;
    expect(content).toMatchObject({
      shell_port,
      iopub_port,
      stdin_port,
      control_port,
      hb_port,
    });
  });

  test("interrupt_request with nothing running: nothing happens", async () => {
    expect((await kernel.interrupt()).content).toEqual({ status: "ok" });
    expect((await kernel.request("interrupt_request")).type).toBe("interrupt_reply");
    await expectAlive();
  });

  test("a request of unknown type: an error", async () => {
    for (const type of ["debug_request", "no_such_thing_request"]) {
      const reply = await kernel.request(type, { command: "attach" });
      expect(reply.type).toBe(type.replace("_request", "_reply"));
      expect(reply.content).toMatchObject({ status: "error", ename: "UnknownMessageError" });
      expect(reply.content.evalue).toContain(type);
      await kernel.waitFor((m) => m.parent.msg_id === reply.parent.msg_id && isStatus(m, "idle"));
    }
  });

  test("a request that lacks a field: an error that names it", async () => {
    for (const [type, content] of [
      ["execute_request", {}],
      ["execute_request", { code: 7 }],
      ["complete_request", { cursor_pos: 1 }],
      ["inspect_request", { code: null }],
      ["is_complete_request", {}],
    ] as const) {
      const reply = await kernel.request(type, content);
      expect(reply.content).toMatchObject({ status: "error", evalue: expect.stringContaining("`code`") });
    }
    expect((await kernel.request("history_request", { hist_access_type: 3, n: "many" })).content.status).toBe("ok");
    expect((await kernel.request("execute_request", { code: "1 + 1" })).content.status).toBe("ok");
    await expectAlive();
  });
});

describe("comms", () => {
  test("carry data and binary buffers both ways and are listed while open", async () => {
    await kernel.execute(`host.onComm("test.echo", (comm: any, data: any) => {
        comm.send({ opened: data });
        comm.onMessage = (data: any, buffers: Uint8Array[]) => comm.send({ ...data, sizes: buffers.map((b) => b.length) }, { buffers });
        comm.onClose = () => console.log("closed by the front end");
      });`);
    const id = "comm-1";
    const open = kernel.send("comm_open", { comm_id: id, target_name: "test.echo", data: { grüße: "🍒" } });
    const opened = await kernel.waitFor((m) => of(open)(m) && m.type === "comm_msg");
    expect(opened.content).toEqual({ comm_id: id, data: { opened: { grüße: "🍒" } } });
    const info = async (content: object) => (await kernel.request("comm_info_request", content)).content.comms;
    expect(await info({})).toEqual({ [id]: { target_name: "test.echo" } });
    expect(await info({ target_name: "other" })).toEqual({});

    const buffers = [new Uint8Array(0), new Uint8Array([0, 255, 128]), new Uint8Array(1 << 20).map((_, i) => i * 7)];
    const sent = kernel.send("comm_msg", { comm_id: id, data: { n: 1 } }, { buffers });
    const echo = await kernel.waitFor((m) => of(sent)(m) && m.type === "comm_msg");
    expect(echo.content.data).toEqual({ n: 1, sizes: [0, 3, 1 << 20] });
    expect(echo.buffers.map((buffer, i) => buffer.equals(buffers[i]!))).toEqual([true, true, true]);
    await kernel.waitFor((m) => of(sent)(m) && isStatus(m, "idle"));

    const close = kernel.send("comm_close", { comm_id: id, data: {} });
    expect((await kernel.waitFor((m) => of(close)(m) && m.type === "stream")).content.text).toBe(
      "closed by the front end\n",
    );
    expect(await info({})).toEqual({});
  });

  test("to a target that nobody takes are closed", async () => {
    const id = kernel.send("comm_open", { comm_id: "lost", target_name: "no.such.target", data: {} });
    expect((await kernel.waitFor((m) => of(id)(m) && m.type === "comm_close")).content.comm_id).toBe("lost");
    expect((await kernel.request("comm_info_request")).content.comms).not.toHaveProperty("lost");
  });

  test("that the kernel opens are listed", async () => {
    const { outputs } = await kernel.execute(`const own = host.openComm("test.own", { data: { n: 1 } });`);
    const { comm_id } = outputs.find(({ type }) => type === "comm_open")!.content;
    expect((await kernel.request("comm_info_request")).content.comms).toEqual({
      [comm_id]: { target_name: "test.own" },
    });
    await kernel.execute("own.close()");
    expect((await kernel.request("comm_info_request")).content.comms).toEqual({});
  });

  test("are idle only once their handler is done, so that its outputs can be caught", async () => {
    await kernel.execute(
      `host.onComm("test.slow", async () => { await new Promise((done) => setTimeout(done, 100)); console.log("late"); });`,
    );
    const id = kernel.send("comm_open", { comm_id: "slow", target_name: "test.slow", data: {} });
    await kernel.waitFor((m) => of(id)(m) && isStatus(m, "idle"));
    const mine = kernel.received.filter(of(id)).map(({ type, content }) => content.execution_state ?? type);
    expect(mine).toEqual(["busy", "stream", "idle"]);
  });
});

describe("bad messages", () => {
  const frames = () => kernel.frames("kernel_info_request", {});
  const replaced = (at: number, text: string | Uint8Array) =>
    frames().map((frame, i) => (i === at ? Buffer.from(text) : frame));
  const BAD: Record<string, () => (string | Uint8Array)[]> = {
    empty: () => [""],
    "without delimiter": () => frames().slice(1),
    "too short": () => frames().slice(0, 4),
    "only a delimiter": () => ["<IDS|MSG>"],
    unsigned: () => replaced(1, ""),
    "wrongly signed": () => replaced(1, "0".repeat(64)),
    "signed too short": () => replaced(1, "0"),
    "changed after signing": () => replaced(5, '{"changed":true}'),
    "no text at all": () => [new Uint8Array([255, 0, 254]), new Uint8Array(1000)],
  };
  const SIGNED_BAD: Record<string, unknown> = {
    "a list as content": [1, 2],
    "null as content": null,
    "a text as content": "text",
  };

  test.each(Object.keys(BAD))("%s: dropped with a line, on every channel", async (name) => {
    const before = kernel.printed.stderr.length;
    const heard = kernel.received.length;
    for (const channel of ["shell", "control", "stdin"] as const) kernel.raw(BAD[name]!(), channel);
    await expect.poll(() => kernel.printed.stderr.slice(before).split("\n").length - 1).toBe(3);
    expect(kernel.printed.stderr.slice(before)).toMatch(/^(\[pomona\] A message was dropped: .+\n){3}$/);
    expect(kernel.received.slice(heard)).toEqual([]);
    await expectAlive();
  });

  test.each(Object.keys(SIGNED_BAD))("%s, rightly signed: dropped", async (name) => {
    const before = kernel.printed.stderr.length;
    kernel.raw(kernel.frames("execute_request", SIGNED_BAD[name]));
    await expect.poll(() => kernel.printed.stderr.slice(before)).toContain("no JSON object");
    await expectAlive();
  });

  test("no request, an answer that nobody asked for, a comm message without a comm: dropped", async () => {
    const before = kernel.printed.stderr.length;
    kernel.send("execute_reply", {});
    kernel.send("input_reply", { value: "x" }, { channel: "stdin" });
    kernel.send("execute_request", { code: "1" }, { channel: "stdin" });
    kernel.send("comm_msg", { data: {} });
    kernel.send("comm_open", { comm_id: "x" });
    await expect.poll(() => kernel.printed.stderr.slice(before).split("\n").length - 1).toBe(5);
    await expectAlive();
  });
});

test("two clients at once: each gets its own replies, both hear all", async () => {
  const other = await kernel.connect();
  const run = (client: typeof other, name: string) =>
    Promise.all(Array.from({ length: 20 }, (_, i) => client.execute(`console.log("${name} ${i}")`)));
  const [mine, theirs] = await Promise.all([run(kernel, "mine"), run(other, "theirs")]);
  expect(mine.map(({ stdout }) => stdout)).toEqual(mine.map((_, i) => `mine ${i}\n`));
  expect(theirs.map(({ stdout }) => stdout)).toEqual(theirs.map((_, i) => `theirs ${i}\n`));
  const replies = other.received.filter(({ channel }) => channel === "shell");
  expect(replies.every(({ parent }) => parent.session === other.session)).toBe(true);
  for (const client of [kernel, other]) {
    for (const text of ["mine 19\n", "theirs 19\n"]) await client.waitFor((m) => m.content.text === text);
  }
});

describe("much at once", () => {
  test("outputs and code of a megabyte", async () => {
    const { stdout, seconds } = await kernel.execute(`process.stdout.write("ü".repeat(1 << 20))`);
    expect(stdout).toBe("ü".repeat(1 << 20));
    expect(seconds).toBeLessThan(2);
    const long = await kernel.execute(`const long = "${"x".repeat(1 << 20)}"; long.length`);
    expect(long.result).toBe("1048576");
  });

  test("10,000 requests", async () => {
    const began = Date.now();
    const ids = Array.from({ length: 10_000 }, () => kernel.send("comm_info_request", {}));
    const last = await kernel.waitFor((m) => m.channel === "shell" && of(ids.at(-1)!)(m), { timeout: 40_000 });
    expect(last.type).toBe("comm_info_reply");
    const answered = kernel.received
      .filter(({ type }) => type === "comm_info_reply")
      .map(({ parent }) => parent.msg_id);
    expect(answered.slice(-10_000)).toEqual(ids);
    expect(Date.now() - began).toBeLessThan(30_000);
  });

  test("10,000 outputs in one cell, in order", async () => {
    const { outputs } = await kernel.execute(
      `for (let i = 0; i < 10_000; i++) host.display({ data: { "text/plain": String(i) } }, false);`,
    );
    expect(outputs.map(({ content }) => Number(content.data["text/plain"]))).toEqual(outputs.map((_, i) => i));
    expect(outputs).toHaveLength(10_000);
  });

  test("20,000 lines in under two seconds, none lost, in few messages", async () => {
    const { stdout, outputs, seconds } = await kernel.execute(
      "for (let i = 0; i < 20_000; i++) console.log('line ' + i);",
    );
    expect(stdout).toBe(Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`).join(""));
    expect(outputs.length).toBeLessThan(100);
    expect(seconds).toBeLessThan(2);
  });
});

test("unicode goes through as it is", async () => {
  // TypeScript 5.0 takes U+2028 in a literal for the end of the line.
  const text = "grüße 日本語 🍒 👩‍🚀 𝒳 \u0000 \u2028 \\ud83c \ufeff";
  const literal = JSON.stringify(text).replace("\u2028", "\\u2028");
  const { stdout, result, iopub } = await kernel.execute(`console.log(${literal}); ${JSON.stringify("𝒳🍒")}`);
  expect(stdout).toBe(`${text}\n`);
  expect(result).toBe("'𝒳🍒'");
  expect(iopub.find(({ type }) => type === "execute_input")!.content.code).toContain("👩‍🚀");
  expect((await kernel.execute(`process.stdout.write("a\\ud83cb")`)).stdout).toBe("a\ufffdb");
});

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
    const failing = kernel.start("throw new RangeError('no')");
    const waiting = Array.from({ length: 5 }, (_, i) => kernel.start(`console.log("never ${i}")`));
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
    const run = kernel.start("await new Promise((done) => setTimeout(done, 300))");
    await kernel.waitFor((m) => of(run.id)(m) && isStatus(m, "busy"));
    const asked = kernel.send("kernel_info_request", {});
    await kernel.waitFor((m) => of(asked)(m) && isStatus(m, "idle"));
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
    const { reply, seconds } = await kernel.execute(`prompt("name? ")`, { allow_stdin: false });
    expect(reply.content).toMatchObject({ status: "error", ename: "InputNotAllowedError" });
    expect(seconds).toBeLessThan(2);
  });

  test("can be interrupted, and asked for again", async () => {
    for (const code of [`prompt("first? ")`, `await readLine("second? ")`]) {
      const run = kernel.start(code, { allow_stdin: true });
      await kernel.waitFor((m) => of(run.id)(m) && m.type === "input_request");
      await kernel.interrupt();
      const { reply, seconds } = await run.done;
      expect(reply.content).toMatchObject({ status: "error", ename: "KeyboardInterrupt" });
      expect(seconds).toBeLessThan(2);
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
    await kernel.waitFor((m) => of(run.id)(m) && m.type === "execute_input");
    await sleep(150);
    for (let i = 0; i < 3; i++) expect(await kernel.heartbeat()).toBeLessThan(500);
    const began = Date.now();
    expect((await kernel.interrupt()).content.status).toBe("ok");
    const { reply } = await run.done;
    expect(reply.content).toMatchObject({ status: "error", ename: "KeyboardInterrupt" });
    expect(Date.now() - began).toBeLessThan(1000);
    expect((await kernel.execute("kept + 1")).result).toBe("2");
  });
});

describe("beginning and end", () => {
  test("a subscriber is welcomed", async () => {
    const client = openClient(kernel.connection);
    const welcome = await client.waitFor(({ type }) => type === "iopub_welcome");
    expect(welcome).toMatchObject({ channel: "iopub", content: { subscription: "" }, parent: {} });
    client.close();
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
      const began = Date.now();
      await own.exited;
      expect(Date.now() - began).toBeLessThan(1000);
      expect(own.printed.stderr).toBe("");
    },
  );

  test("shutdown ends a busy loop at once", async () => {
    const own = await startOther();
    const run = own.start("while (true);");
    await own.waitFor((m) => of(run.id)(m) && m.type === "execute_input");
    const began = Date.now();
    await own.request("shutdown_request", { restart: false }, { channel: "control" });
    await own.exited;
    expect(Date.now() - began).toBeLessThan(1500);
  });

  test("SIGTERM ends it, and SIGINT does not", async () => {
    const own = await startOther();
    await own.execute("1");
    own.process.kill("SIGINT");
    await sleep(100);
    expect((await own.execute("console.log(1)")).stdout).toBe("1\n");
    own.process.kill("SIGTERM");
    const began = Date.now();
    await own.exited;
    expect(Date.now() - began).toBeLessThan(1500);
    expect(own.printed.stderr).toBe("");
  });

  test.each(["idle", "busy"])(
    "a kernel that is %s ends within five seconds of a parent that is killed",
    async (state) => {
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
        if (state === "busy") {
          const code = "await new Promise((done) => setTimeout(done, 5)); for (;;) JSON.stringify([1]);";
          const id = client.send("execute_request", { code });
          await client.waitFor((m) => of(id)(m) && m.type === "execute_input");
        }
        expect(isAlive(pid)).toBe(true);
        parent.kill("SIGKILL");
        const began = Date.now();
        while (isAlive(pid) && Date.now() - began < 10_000) await sleep(50);
        expect(Date.now() - began).toBeLessThan(5000);
      } finally {
        parent.kill("SIGKILL");
        if (isAlive(pid)) process.kill(pid, "SIGKILL");
        client.close();
        rmSync(folder, { recursive: true });
      }
    },
  );
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
