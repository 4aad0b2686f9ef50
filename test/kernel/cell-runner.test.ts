import { expect, test } from "vitest";
import { type Header, STOP_SLOTS, type ToIo } from "../../kernel-ext/src/messages";
import { cellRunner } from "../../kernel-ext/src/runtime/cell-runner";
import { interruptibleFlows } from "../../kernel-ext/src/runtime/flows";
import { interrupts } from "../../kernel-ext/src/runtime/interrupts";
import { leftBehind } from "../../kernel-ext/src/runtime/left-behind";
import { moduleLoader } from "../../kernel-ext/src/runtime/module-loader";
import { outputTo } from "../../kernel-ext/src/runtime/output";
import { staleMarks } from "../../kernel-ext/src/runtime/stale-marks";
import { cellExecutor } from "../../kernel-ext/src/runtime/tslab-executor";

const content = { silent: false, store_history: true, user_expressions: {}, allow_stdin: false, stop_on_error: true };

test("a magic that goes on after its cell was interrupted runs nothing in the next one", async () => {
  const converted: number[] = [];
  const sent: ToIo[] = [];
  const stop = new Int32Array(STOP_SLOTS);
  const flows = interruptibleFlows(stop);
  const modules = moduleLoader(process.cwd());
  let lateRun: Promise<void> | undefined;
  let goOn: () => void = () => {};
  const runner = cellRunner({
    folder: process.cwd(),
    language: {
      // Never answers, as a compiler that is asked twice for one execution answers one of them.
      convert(execution) {
        converted.push(execution);
        return new Promise(() => {});
      },
      commit() {},
      warm() {},
      onReady() {},
      notRun() {},
      inspect: async () => ({}),
    },
    executor: cellExecutor(process.cwd(), modules.requireFromCell),
    modules,
    output: outputTo((message) => sent.push(message)),
    interrupts: interrupts(stop, flows),
    flows,
    left: leftBehind(() => ({})),
    marks: staleMarks(
      () => undefined,
      () => true,
    ),
    represent: async () => ({}),
    parseMagic: (source) =>
      source.startsWith("%%")
        ? { name: "sql", options: new Map<string, string | true>(), args: [], body: "", bodyLine: 1 }
        : undefined,
    async runMagic(_magic, _signal, runCell) {
      await new Promise<void>((done) => {
        goOn = done;
      });
      lateRun = runCell("const late = 1;");
      await lateRun;
    },
  });
  const header = { msg_id: "1", msg_type: "execute_request" } as Header;
  const first = runner.execute({ header, execution: 1, count: 1, content: { ...content, code: "%%sql" } });
  await runner.interrupt(1);
  expect(await first).toMatchObject({ status: "error", ename: "KeyboardInterrupt" });

  const second = runner.execute({ header, execution: 2, count: 2, content: { ...content, code: "await 0;" } });
  expect(converted).toEqual([2]);
  goOn();
  await new Promise((done) => setImmediate(done));
  await expect(lateRun).rejects.toThrow("interrupted");
  expect(converted).toEqual([2]);
  await runner.interrupt(2);
  expect(await second).toMatchObject({ status: "error", ename: "KeyboardInterrupt" });
});
