import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type ProgressStream, showTerminalProgress, type TerminalProgressOptions } from "../../src/progress/terminal";
import { jobTeller } from "./job-events";

beforeEach(() => vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => vi.useRealTimers());

/** What a terminal of that width shows after all that was written: enough of one for cursor-up and erase. */
class Terminal implements ProgressStream {
  readonly isTTY = true;
  written = "";
  writes = 0;
  constructor(readonly columns = 120) {}

  write(text: string) {
    this.written += text;
    this.writes++;
  }

  get screen(): string[] {
    let lines = [""];
    for (const [part] of this.written.replaceAll("\x1b", "␛").matchAll(/␛\[\d*[AJm]|\n|[^␛\n]+/g)) {
      const up = /^␛\[(\d+)A$/.exec(part);
      // All that is written after going up erases what was below.
      if (up) lines = [...lines.slice(0, lines.length - 1 - Number(up[1])), ""];
      else if (part === "\n") lines.push("");
      else if (!part.startsWith("␛")) lines[lines.length - 1] += part;
    }
    return lines.filter((line) => line !== "");
  }
}

function setUp(stream: ProgressStream, env: TerminalProgressOptions["env"] = {}) {
  const teller = jobTeller();
  return { teller, close: showTerminalProgress(teller, { stream, env }) };
}

describe("on a terminal", () => {
  test("says how often S3 was asked again, in place, and once at the end", () => {
    const terminal = new Terminal();
    const { teller, close } = setUp(terminal);
    teller.job("write");
    teller.stage("image.features", 2, 100);
    teller.start(0);
    vi.advanceTimersByTime(600);
    for (let i = 0; i < 14; i++) teller.storageRetried(i % 2 ? "SlowDown, 503" : "503");
    teller.storageRetried("the connection was reset");
    vi.advanceTimersByTime(600);
    expect(terminal.screen.slice(1)).toEqual([
      "S3 asks to slow down: 14 retries",
      "S3: the connection was reset: 1 retry",
    ]);
    teller.endJob("succeeded");
    expect(terminal.screen.filter((line) => line === "S3 asks to slow down: 14 retries")).toHaveLength(1);
    close();
  });

  test("redraws one line and leaves one at the end", () => {
    const terminal = new Terminal();
    const { teller, close } = setUp(terminal, { NO_COLOR: "1" });
    teller.job("featurize");
    teller.stage("image.features", 4, 400);
    teller.start(0);
    expect(terminal.written).toBe("");
    for (let second = 1; second <= 10; second++) {
      vi.advanceTimersByTime(1000);
      teller.progress(0, second * 10);
    }
    vi.advanceTimersByTime(200);
    expect(terminal.screen).toEqual([
      `image.features ${"█".repeat(5)}${"░".repeat(15)} 25 %  100/400 rows  10 rows/s  30 s left  0/4 tasks, 1 running`,
    ]);
    teller.say("warn", "worker-1 was lost");
    expect(terminal.screen[0]).toBe("warning: worker-1 was lost");
    expect(terminal.screen).toHaveLength(2);
    for (const task of [0, 1, 2, 3]) teller.end(task, 100);
    teller.endStage("succeeded", 400);
    teller.endJob("succeeded");
    vi.advanceTimersByTime(1000);
    expect(terminal.screen).toEqual([
      "warning: worker-1 was lost",
      "✔ image.features: 400 rows in 10 s (39 rows/s), 4/4 tasks",
    ]);
    close();
  });

  test("says nothing of stages that are over at once", () => {
    const terminal = new Terminal();
    const { teller } = setUp(terminal);
    teller.job("count");
    teller.stage("scan", 1, 10);
    vi.advanceTimersByTime(300);
    teller.endStage("succeeded", 10);
    teller.endJob("succeeded");
    vi.advanceTimersByTime(1000);
    expect(terminal.written).toBe("");
  });

  test("redraws a few times a second however many events come", () => {
    const terminal = new Terminal();
    const { teller } = setUp(terminal);
    teller.job("featurize");
    teller.stage("image.features", 1, 100_000);
    vi.advanceTimersByTime(1000);
    const before = terminal.writes;
    for (let i = 0; i < 1000; i++) {
      teller.progress(0, i * 100);
      vi.advanceTimersByTime(1);
    }
    expect(terminal.writes - before).toBeLessThanOrEqual(14);
  });

  test("never writes a line wider than the terminal", () => {
    const terminal = new Terminal(40);
    const { teller } = setUp(terminal);
    teller.job("featurize");
    teller.stage("image.features", 4, 400);
    vi.advanceTimersByTime(2000);
    teller.progress(0, 10);
    vi.advanceTimersByTime(200);
    expect(terminal.screen).toHaveLength(1);
    expect(terminal.screen[0]!.length).toBeLessThan(40);
  });

  test("colours unless NO_COLOR says no", () => {
    for (const [env, coloured] of [
      [{}, true],
      [{ NO_COLOR: "1" }, false],
    ] as const) {
      const terminal = new Terminal();
      const { teller } = setUp(terminal, env);
      teller.job("featurize");
      teller.stage("image.features", 4, 400);
      vi.advanceTimersByTime(2000);
      teller.endStage("failed", 0);
      teller.endJob("failed", "x");
      expect(terminal.written.includes("\x1b[31m")).toBe(coloured);
      expect(terminal.screen.at(-1)).toBe("✖ image.features: failed after 2.0 s, 0/4 tasks");
    }
  });

  test("leaves nothing behind when it is closed in the middle", () => {
    const terminal = new Terminal();
    const { teller, close } = setUp(terminal);
    teller.job("featurize");
    teller.stage("image.features", 4, 400);
    vi.advanceTimersByTime(2000);
    expect(terminal.screen).toHaveLength(1);
    close();
    expect(terminal.screen).toHaveLength(0);
    teller.progress(0, 10);
    vi.advanceTimersByTime(2000);
    expect(terminal.screen).toHaveLength(0);
  });
});

describe("elsewhere", () => {
  test.each([
    ["a file", { isTTY: false }, {}],
    ["CI with a terminal", { isTTY: true }, { CI: "true" }],
    ["a dumb terminal", { isTTY: true }, { TERM: "dumb" }],
  ])("writes plain lines to %s: at the start, each 30 seconds, and at the end", (_what, kind, env) => {
    let text = "";
    const { teller, close } = setUp({ ...kind, write: (part) => (text += part) }, env);
    teller.job("featurize");
    teller.stage("image.features", 4, 400, 1);
    teller.start(1);
    for (let second = 1; second <= 70; second++) {
      vi.advanceTimersByTime(1000);
      teller.progress(1, second);
    }
    teller.say("info", "weights: imagenet");
    teller.say("debug", "not shown");
    teller.endStage("cancelled", 0);
    teller.endJob("cancelled");
    close();
    expect(text.split("\n")).toEqual([
      "image.features: started, 400 rows in 4 tasks, 1 of them done by an earlier run",
      "image.features: 32 %, 129/400 rows, 1.0 rows/s, 4 min 31 s left, 1/4 tasks, 1 running, 1 from an earlier run",
      "image.features: 39 %, 159/400 rows, 1.0 rows/s, 4 min 01 s left, 1/4 tasks, 1 running, 1 from an earlier run",
      "weights: imagenet",
      "■ image.features: cancelled after 1 min 10 s, 1/4 tasks, 1 from an earlier run",
      "",
    ]);
  });
});
