import { afterAll, beforeAll, expect, it } from "vitest";
import type { EngineEvent, Session } from "../../src/index";
import { matrixOf } from "../numerics/data-sets";
import { ml, pomona } from "./built";

/** Enough rows and columns that the eigenvectors are worth a job of their own. */
const ORDER = 1004;

let session: Session;
const events: EngineEvent[] = [];
let onEvent: (event: EngineEvent) => void = () => {};

beforeAll(async () => {
  session = await pomona.Session.builder().master("local[2]").getOrCreate();
  session.onEvent((event) => {
    events.push(event);
    onEvent(event);
  });
});
afterAll(() => session?.stop());

const wide = () => {
  const { values } = matrixOf("uniform", ORDER, ORDER + 4);
  const rows = Array.from({ length: ORDER }, (_, i) => ({
    v: values.subarray(i * (ORDER + 4), (i + 1) * (ORDER + 4)),
  }));
  return session.createDataFrame(rows, "v array<double>");
};
const isProgress = (event: EngineEvent) => event.type === "taskProgress" && event.worker === "driver";

it("a long PCA shows how far its eigenvectors are, and stops in the middle", async () => {
  const pca = new ml.PCA({ inputCol: "v", outputCol: "pca", k: 3 });
  const df = await wide().cache();
  const model = await pca.fit(df);
  expect(model.pc.rows).toBe(3);
  const [first, ...rest] = events.filter(isProgress).map((event) => (event as { rows: number }).rows);
  expect(first).toBeGreaterThan(0);
  expect(rest).toEqual([...rest].sort((a, b) => a - b));
  expect(rest.at(-1)).toBe(ORDER);
  expect(events).toContainEqual(expect.objectContaining({ type: "jobStarted", description: "PCA eigenvectors" }));

  onEvent = (event) => {
    if (isProgress(event)) void session.interruptAll();
  };
  await expect(pca.fit(df)).rejects.toThrow(pomona.CancelledError);
  expect(events.filter((event) => event.type === "jobEnded").at(-1)).toMatchObject({ status: "cancelled" });
});
