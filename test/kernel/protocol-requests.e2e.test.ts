import { availableParallelism, hostname } from "node:os";
import { describe, expect, test } from "vitest";
import type { RunningKernel } from "../support/kernel";
import { belongsTo, isStatus } from "../support/kernel-messages";
import { useKernel } from "../support/use-kernel";

/** What is asked over the sockets, and the answers. */
let kernel: RunningKernel;
useKernel((started) => {
  kernel = started;
});

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
      expect(Math.abs(Date.now() - Date.parse(header.date!))).toBeLessThan(3_600_000);
      expect(parent.session).toBe(kernel.session);
    }
    expect(new Set(iopub.map(({ header }) => header.msg_id)).size).toBe(iopub.length);
  });

  test("usage_request, with what cells and their child processes use, also while one runs", async () => {
    const ask = async () => (await kernel.request("usage_request", {}, { channel: "control" })).content;
    expect(await ask()).toMatchObject({ hostname: hostname(), kernel_cpu: 0, cpu_count: availableParallelism() });
    const keep = "const kept = Buffer.alloc(3e8, 1);";
    const { result } = await kernel.execute(
      `const child = require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(`${keep} setInterval(() => kept, 1e6)`)}]); process.pid`,
    );
    const run = kernel.start("while (true);");
    await kernel.waitFor((m) => belongsTo(run.id)(m) && m.type === "execute_input");
    let usage = await ask();
    const isThere = async () => {
      usage = await ask();
      return usage.kernel_memory > 3e8 && usage.kernel_cpu > 0;
    };
    await expect.poll(isThere, { interval: 100 }).toBe(true);
    await kernel.interrupt();
    await run.done;
    await kernel.execute("child.kill(); 0");
    expect(usage.pid).toBe(Number(result));
    const { total, available, percent, used, free } = usage.host_virtual_memory;
    expect(total).toBeGreaterThan(available);
    expect(available).toBeGreaterThan(0);
    expect(percent).toBeCloseTo((100 * (total - available)) / total, 0);
    expect(used + available).toBe(total);
    expect(free).toBeGreaterThan(0);
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
    await kernel.waitFor((m) => belongsTo(run.id)(m) && m.type === "execute_input");
    await ask();
    expect(kernel.received.some((m) => belongsTo(run.id)(m) && m.type === "execute_reply")).toBe(false);
    await kernel.interrupt();
    await run.done;
  });

  // JupyterLab would open subshells for comms of a kernel that announces them.
  test("subshells are not announced, and comms, kernel_info and comm_info need none while a cell waits", async () => {
    const info = (await kernel.request("kernel_info_request")).content;
    expect(info.supported_features ?? []).not.toContain("kernel subshells");
    for (const type of ["create_subshell_request", "delete_subshell_request", "list_subshell_request"]) {
      const { content } = await kernel.request(type, { subshell_id: "x" }, { channel: "control" });
      expect(content).toMatchObject({ status: "error", ename: "SubshellsNotSupportedError" });
    }
    await kernel.execute(`const { kernelHost } = require("pomona/kernel");
kernelHost().onComm("beside", (comm: any) => { comm.onMessage = (data: any) => comm.send({ echo: data }); });`);
    const run = kernel.start("let ended = false; while (!ended) await new Promise((done) => setTimeout(done, 5));");
    await kernel.waitFor((m) => belongsTo(run.id)(m) && m.type === "execute_input");
    kernel.send("comm_open", { comm_id: "c1", target_name: "beside", data: {} });
    kernel.send("comm_msg", { comm_id: "c1", data: { n: 1 } });
    await kernel.waitFor((m) => m.type === "comm_msg" && m.content.data?.echo !== undefined);
    expect((await kernel.request("comm_info_request", { target_name: "beside" })).content.comms).toHaveProperty("c1");
    expect((await kernel.request("kernel_info_request")).content.status).toBe("ok");
    expect(kernel.received.some((m) => belongsTo(run.id)(m) && m.type === "execute_reply")).toBe(false);
    await kernel.interrupt();
    expect((await run.done).reply.content.ename).toBe("KeyboardInterrupt");
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
