import { describe, expect, test } from "vitest";
import type { RunningKernel } from "../support/kernel";
import { belongsTo, isStatus } from "../support/kernel-messages";
import { useKernel } from "../support/use-kernel";

/** What goes over the sockets in either direction: comms, bad messages, many and large ones, of several clients. */
let kernel: RunningKernel;
const HOST = `const host = (globalThis as any)[Symbol.for("pomona.kernel")];`;
useKernel((started) => {
  kernel = started;
}, HOST);

/** The kernel still runs cells and answers. */
async function expectAlive(): Promise<void> {
  expect((await kernel.execute("console.log(6 * 7)")).stdout).toBe("42\n");
}

describe("comms", () => {
  test("carry data and binary buffers both ways and are listed while open", async () => {
    await kernel.execute(`host.onComm("test.echo", (comm: any, data: any) => {
        comm.send({ opened: data });
        comm.onMessage = (data: any, buffers: Uint8Array[]) => comm.send({ ...data, sizes: buffers.map((b) => b.length) }, { buffers });
        comm.onClose = () => console.log("closed by the front end");
      });`);
    const id = "comm-1";
    const open = kernel.send("comm_open", { comm_id: id, target_name: "test.echo", data: { grüße: "🍒" } });
    const opened = await kernel.waitFor((m) => belongsTo(open)(m) && m.type === "comm_msg");
    expect(opened.content).toEqual({ comm_id: id, data: { opened: { grüße: "🍒" } } });
    const info = async (content: object) => (await kernel.request("comm_info_request", content)).content.comms;
    expect(await info({})).toEqual({ [id]: { target_name: "test.echo" } });
    expect(await info({ target_name: "other" })).toEqual({});

    const buffers = [new Uint8Array(0), new Uint8Array([0, 255, 128]), new Uint8Array(1 << 20).map((_, i) => i * 7)];
    const sent = kernel.send("comm_msg", { comm_id: id, data: { n: 1 } }, { buffers });
    const echo = await kernel.waitFor((m) => belongsTo(sent)(m) && m.type === "comm_msg");
    expect(echo.content.data).toEqual({ n: 1, sizes: [0, 3, 1 << 20] });
    expect(echo.buffers.map((buffer, i) => buffer.equals(buffers[i]!))).toEqual([true, true, true]);
    await kernel.waitFor((m) => belongsTo(sent)(m) && isStatus(m, "idle"));

    const close = kernel.send("comm_close", { comm_id: id, data: {} });
    expect((await kernel.waitFor((m) => belongsTo(close)(m) && m.type === "stream")).content.text).toBe(
      "closed by the front end\n",
    );
    expect(await info({})).toEqual({});
  });

  test("to a target that nobody takes are closed", async () => {
    const id = kernel.send("comm_open", { comm_id: "lost", target_name: "no.such.target", data: {} });
    expect((await kernel.waitFor((m) => belongsTo(id)(m) && m.type === "comm_close")).content.comm_id).toBe("lost");
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
    await kernel.waitFor((m) => belongsTo(id)(m) && isStatus(m, "idle"));
    const mine = kernel.received.filter(belongsTo(id)).map(({ type, content }) => content.execution_state ?? type);
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
    const { stdout } = await kernel.execute(`process.stdout.write("ü".repeat(1 << 20))`);
    expect(stdout).toBe("ü".repeat(1 << 20));
    const long = await kernel.execute(`const long = "${"x".repeat(1 << 20)}"; long.length`);
    expect(long.result).toBe("1048576");
  });

  test("10,000 requests", async () => {
    const ids = Array.from({ length: 10_000 }, () => kernel.send("comm_info_request", {}));
    const last = await kernel.waitFor((m) => m.channel === "shell" && belongsTo(ids.at(-1)!)(m), { timeout: 120_000 });
    expect(last.type).toBe("comm_info_reply");
    const answered = kernel.received
      .filter(({ type }) => type === "comm_info_reply")
      .map(({ parent }) => parent.msg_id);
    expect(answered.slice(-10_000)).toEqual(ids);
  });

  test("10,000 outputs in one cell, in order", async () => {
    const { outputs } = await kernel.execute(
      `for (let i = 0; i < 10_000; i++) host.display({ data: { "text/plain": String(i) } }, false);`,
    );
    expect(outputs.map(({ content }) => Number(content.data["text/plain"]))).toEqual(outputs.map((_, i) => i));
    expect(outputs).toHaveLength(10_000);
  });

  test("20,000 lines, none lost, in few messages", async () => {
    const { stdout, outputs } = await kernel.execute("for (let i = 0; i < 20_000; i++) console.log('line ' + i);");
    expect(stdout).toBe(Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`).join(""));
    // Fifty milliseconds' worth each, or 64 KiB: how many these are is the machine's.
    expect(outputs.length).toBeLessThan(1_000);
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
