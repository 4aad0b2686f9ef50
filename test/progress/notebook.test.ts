import { createRequire } from "node:module";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { JUPYTER_DISPLAY } from "../../src/host/mime-bundle";
import { display, inNotebook } from "../../src/notebook/display";
import { showNotebookProgress } from "../../src/progress/notebook";
import { jobTeller } from "./job-events";

interface Message {
  readonly data: Record<string, string>;
  readonly transient: { readonly display_id?: string };
  readonly update: boolean;
}

/** tslab's own module, with the hook that its message handler sets when a cell runs. */
const tslab = createRequire(__filename)("tslab/dist/jupyter") as {
  lastWriteDisplayData: ((content: Omit<Message, "update">, update: boolean) => void) | null;
};
let messages: Message[];

beforeEach(() => {
  messages = [];
  tslab.lastWriteDisplayData = (content, update) => messages.push({ ...content, update });
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  tslab.lastWriteDisplayData = null;
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("display", () => {
  test("sends all forms in one message, and updates by id", () => {
    expect(inNotebook()).toBe(true);
    display({ "text/html": "<b>a</b>", "text/plain": "a" }, { displayId: "x" });
    display({ [JUPYTER_DISPLAY]: () => ({ "text/plain": "b" }) }, { displayId: "x", update: true });
    expect(messages).toEqual([
      {
        data: { "text/html": "<b>a</b>", "text/plain": "a" },
        metadata: {},
        transient: { display_id: "x" },
        update: false,
      },
      { data: { "text/plain": "b" }, metadata: {}, transient: { display_id: "x" }, update: true },
    ]);
  });

  test("prints text outside a notebook", () => {
    tslab.lastWriteDisplayData = null;
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    expect(inNotebook()).toBe(false);
    display({ "text/html": "<b>a</b>", "text/plain": "a" });
    display({ "text/html": "<b>a</b>" });
    display({ "text/plain": "again" }, { displayId: "x", update: true });
    expect(log.mock.calls).toEqual([["a"], ["[text/html]"]]);
  });
});

const strip = (html: string) =>
  html
    .replace(/<[^>]+>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
const last = () => messages.at(-1)!;

describe("progress in a notebook", () => {
  test("one block a job, updated in place, with its final state", () => {
    const teller = jobTeller();
    showNotebookProgress(teller);
    teller.job("featurize <images>");
    teller.stage("image.features", 4, 400);
    teller.start(0);
    vi.advanceTimersByTime(499);
    expect(messages).toHaveLength(0);
    for (let second = 1; second <= 10; second++) {
      vi.advanceTimersByTime(1000);
      teller.progress(0, second * 10);
    }
    vi.advanceTimersByTime(300);
    expect(strip(last().data["text/html"]!)).toBe(
      "● featurize &lt;images&gt; 10 s image.features 25 % · 0/4 tasks, 1 running · 100/400 rows · 9.5 rows/s · 31 s left",
    );
    expect(last().data["text/html"]).toContain("width:25%");
    teller.say("warn", "worker-1 was lost");
    teller.say("info", "weights: imagenet");
    teller.say("info", "weights: imagenet");
    for (const task of [0, 1, 2, 3]) teller.end(task, 100);
    teller.endStage("succeeded", 400);
    teller.endJob("succeeded");
    expect(strip(last().data["text/html"]!)).toBe(
      "✔ featurize &lt;images&gt; succeeded in 11 s image.features 100 % · 4/4 tasks · 400/400 rows · 37 rows/s · 11 s Warning: worker-1 was lost weights: imagenet",
    );
    expect(last().data["text/html"]).toContain("#43a047");
    expect(last().data["text/plain"]).toBe(
      "featurize <images>: succeeded in 11 s\n  image.features: 4/4 tasks, 400/400 rows, 37 rows/s, 11 s",
    );
    expect(new Set(messages.map((message) => message.transient.display_id)).size).toBe(1);
    expect(messages.map((message) => message.update)).toEqual([false, ...Array(messages.length - 1).fill(true)]);
    const count = messages.length;
    vi.advanceTimersByTime(10_000);
    expect(messages).toHaveLength(count);
  });

  test("a failed job is red and says why", () => {
    const teller = jobTeller();
    showNotebookProgress(teller);
    teller.job("write");
    teller.stage("image.features", 2, 20);
    vi.advanceTimersByTime(800);
    teller.endStage("failed", 0);
    teller.endJob("failed", "image.features failed on a&b.jpg\nstack");
    expect(last().data["text/html"]).toContain("border-left:3px solid #e53935");
    expect(strip(last().data["text/html"]!)).toMatch(
      /^✖ write failed in 0\.8 s .* image\.features failed on a&amp;b\.jpg$/,
    );
  });

  test("nothing for a job that is over at once, unless it warned", () => {
    const teller = jobTeller();
    showNotebookProgress(teller);
    teller.job("count");
    vi.advanceTimersByTime(400);
    teller.endJob("succeeded");
    vi.advanceTimersByTime(1000);
    expect(messages).toHaveLength(0);
    const other = jobTeller("job-2");
    showNotebookProgress(other);
    other.job("featurize");
    other.say("warn", "random weights");
    other.endJob("succeeded");
    expect(strip(last().data["text/html"]!)).toContain("Warning: random weights");
  });

  test("a thousand events a second make a few updates a second", () => {
    const teller = jobTeller();
    showNotebookProgress(teller);
    teller.job("featurize");
    teller.stage("image.features", 1, 100_000);
    for (let i = 0; i < 10_000; i++) {
      teller.progress(0, i);
      vi.advanceTimersByTime(1);
    }
    expect(messages.length).toBeGreaterThan(20);
    expect(messages.length).toBeLessThanOrEqual(34);
  });

  test("shows how far it is when the main thread was busy and no timer fired", () => {
    const teller = jobTeller();
    showNotebookProgress(teller);
    teller.job("featurize");
    teller.stage("image.features", 1, 100);
    vi.setSystemTime(Date.now() + 5000);
    teller.progress(0, 50);
    expect(strip(last().data["text/html"]!)).toContain("50 %");
  });

  test("no scripts, and nothing from elsewhere", () => {
    const teller = jobTeller();
    showNotebookProgress(teller);
    teller.job("a <script>alert(1)</script>");
    teller.stage('"><img src=x>', 1, 100);
    vi.advanceTimersByTime(1000);
    expect(last().data["text/html"]).not.toMatch(/<script|<img|https?:/);
  });

  test("ends with its subscription", () => {
    const teller = jobTeller();
    const stop = showNotebookProgress(teller);
    teller.job("featurize");
    stop();
    vi.advanceTimersByTime(5000);
    expect(messages).toHaveLength(0);
  });
});
