import { AsyncLocalStorage } from "node:async_hooks";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { showNotebookProgress } from "../../src/progress/notebook";
import { type FrontEnd, frontEnd } from "../widgets/front-end";
import { jobTeller } from "./job-events";

const VIEW = "application/vnd.jupyter.widget-view+json";
let page: FrontEnd;

beforeEach(() => {
  page = frontEnd();
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  page.disconnect();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const strip = (html: unknown) =>
  String(html)
    .replace(/<[^>]+>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
const last = () => page.displayed.at(-1)!;
const models = (name: string) =>
  page.sent
    .filter(({ type, data }) => type === "open" && (data.state as { _model_name: string })._model_name === name)
    .map(({ id }) => ({ id, state: page.stateOf(id) as Readonly<Record<string, string>> }));
/** The text of the widgets as they are now, in the order in which they stand. */
const shown = () => {
  const view = page.displayed[0]?.data[VIEW] as { model_id: string };
  const textOf = (ref: string): string => {
    const { value, children = [] } = page.stateOf(ref.replace("IPY_MODEL_", "")) as {
      value?: unknown;
      children?: string[];
    };
    return [typeof value === "string" ? strip(value) : "", ...children.map(textOf)].filter(Boolean).join(" ");
  };
  return textOf(view.model_id);
};

describe("progress in a notebook", () => {
  test("time goes on while nothing happens, and no longer than the job", () => {
    const teller = jobTeller();
    const end = showNotebookProgress(teller);
    teller.job("count");
    teller.stage("count", 1, 0);
    teller.start(0);
    vi.advanceTimersByTime(2_000);
    expect(shown()).toContain("count 2.0 s");
    vi.advanceTimersByTime(3_000);
    expect(shown()).toContain("count 5.0 s");
    end();
    vi.advanceTimersByTime(5_000);
    expect(vi.getTimerCount()).toBe(0);
    expect(page.displayed).toHaveLength(1);
  });

  test("widgets for a job, updated in place, replaced by their final picture", () => {
    const teller = jobTeller();
    showNotebookProgress(teller);
    teller.job("featurize <images>");
    teller.stage("image.features", 4, 400);
    teller.start(0);
    vi.advanceTimersByTime(499);
    expect([page.displayed, page.sent]).toEqual([[], []]);
    for (let second = 1; second <= 10; second++) {
      vi.advanceTimersByTime(1000);
      teller.progress(0, second * 10);
    }
    vi.advanceTimersByTime(300);
    const running =
      "● featurize &lt;images&gt; 10 s image.features 25 % · 0/4 tasks, 1 running · 100/400 rows · 9.5 rows/s · 31 s left";
    expect(shown()).toBe(running);
    expect(page.displayed).toHaveLength(1);
    expect(strip(last().data["text/html"])).toContain("● featurize &lt;images&gt; 0.5 s image.features 0 %");
    const [bar] = models("FloatProgressModel");
    expect(bar?.state).toMatchObject({ value: 0.25, max: 1, bar_style: "info" });

    teller.say("warn", "worker-1 was lost");
    teller.say("info", "weights: imagenet");
    teller.say("info", "weights: imagenet");
    for (const task of [0, 1, 2, 3]) teller.end(task, 100);
    teller.endStage("succeeded", 400);
    vi.advanceTimersByTime(300);
    teller.stageOf(1, "image.pca", 2, 0);
    vi.advanceTimersByTime(300);
    expect(models("FloatProgressModel").map(({ state }) => state.bar_style)).toEqual(["success", "info"]);
    expect(shown()).toContain("image.pca 0 % · 0/2 tasks Warning: worker-1 was lost weights: imagenet");
    teller.endStage("succeeded", 400, 1);
    teller.endJob("succeeded");

    const final =
      "✔ featurize &lt;images&gt; succeeded in 11 s image.features 100 % · 4/4 tasks · 400/400 rows · 37 rows/s · 11 s";
    expect(strip(last().data["text/html"])).toContain(final);
    expect(shown()).toContain(final);
    expect(last().data["text/html"]).toContain("#43a047");
    expect(last().data["text/plain"]).toContain(
      "featurize <images>: succeeded in 11 s\n  image.features: 4/4 tasks, 400/400 rows, 37 rows/s, 11 s",
    );
    expect(page.displayed.map(({ update }) => update)).toEqual([false, true]);
    expect(page.displayed.map(({ data }) => VIEW in data)).toEqual([true, false]);
    expect(new Set(page.displayed.map(({ transient }) => transient?.display_id)).size).toBe(1);
    // Every comm is closed, after the final state went out.
    const ids = (type: string) => page.sent.filter((each) => each.type === type).map(({ id }) => id);
    expect(ids("close").sort()).toEqual(ids("open").sort());
    const count = page.sent.length;
    vi.advanceTimersByTime(10_000);
    expect([page.sent.length, page.displayed.length]).toEqual([count, 2]);
  });

  test("belongs to the cell that started the job, whoever tells of it", () => {
    const cell = new AsyncLocalStorage<string>();
    const cells: (string | undefined)[] = [];
    vi.spyOn(page.displayed, "push").mockImplementation(() => cells.push(cell.getStore()));
    const teller = jobTeller();
    showNotebookProgress(teller);
    cell.run("In[3]", () => teller.job("featurize"));
    vi.advanceTimersByTime(1000);
    cell.run("In[1]", () => teller.stage("image.features", 1, 100));
    cell.run("In[1]", () => teller.endJob("succeeded"));
    expect(cells).toEqual(["In[3]", "In[3]"]);
  });

  test("a failed job is red and says why", () => {
    const teller = jobTeller();
    showNotebookProgress(teller);
    teller.job("write");
    teller.stage("image.features", 2, 20);
    vi.advanceTimersByTime(800);
    teller.endStage("failed", 0);
    teller.endJob("failed", "image.features failed on a&b.jpg\nstack");
    expect(models("FloatProgressModel")[0]?.state.bar_style).toBe("danger");
    expect(last().data["text/html"]).toContain("border-left:3px solid #e53935");
    expect(strip(last().data["text/html"])).toMatch(
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
    expect(page.displayed).toHaveLength(0);
    const other = jobTeller("job-2");
    showNotebookProgress(other);
    other.job("featurize");
    other.say("warn", "random weights");
    other.endJob("succeeded");
    expect(strip(last().data["text/html"])).toContain("Warning: random weights");
    expect([page.displayed.length, page.sent.length]).toEqual([1, 0]);
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
    const [bar] = models("FloatProgressModel");
    const updates = page.sent.filter(({ type, id }) => type === "msg" && id === bar?.id);
    expect(updates.length).toBeGreaterThan(20);
    expect(updates.length).toBeLessThanOrEqual(34);
    expect(page.displayed).toHaveLength(1);
  });

  test("shows how far it is when the main thread was busy and no timer fired", () => {
    const teller = jobTeller();
    showNotebookProgress(teller);
    teller.job("featurize");
    teller.stage("image.features", 1, 100);
    vi.setSystemTime(Date.now() + 5000);
    teller.progress(0, 50);
    expect(strip(last().data["text/html"])).toContain("50 %");
  });

  test("no scripts, and nothing from elsewhere", () => {
    const teller = jobTeller();
    showNotebookProgress(teller);
    teller.job("a <script>alert(1)</script>");
    teller.stage('"><img src=x>', 1, 100);
    vi.advanceTimersByTime(1000);
    expect(last().data["text/html"]).not.toMatch(/<script|<img|https?:/);
    for (const { state } of models("HTMLModel")) expect(state.value).not.toMatch(/<script|<img/);
  });

  test("ends with its subscription", () => {
    const teller = jobTeller();
    const stop = showNotebookProgress(teller);
    teller.job("featurize");
    stop();
    vi.advanceTimersByTime(5000);
    expect(page.displayed).toHaveLength(0);
  });
});
