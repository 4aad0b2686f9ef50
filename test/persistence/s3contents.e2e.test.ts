import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ContentsModel, type NotebookServer, notebookOf, startNotebookServer } from "../support/s3-notebooks";
import { type S3Server, startS3 } from "../support/s3-server";

const BUCKET = "emr-notebooks";
const root = join(__dirname, "..", "..");

let s3: S3Server;
let ours: NotebookServer;
let python: string;

beforeAll(async () => {
  const script = join(root, "scripts", "setup", "s3contents.mjs");
  python = execFileSync(process.execPath, [script], { encoding: "utf8" }).trim();
  s3 = await startS3({ buckets: [BUCKET] });
});
afterAll(async () => {
  await ours?.stop();
  await s3?.stop();
});

type Call = readonly [method: string, ...args: unknown[]];

/** Lets s3contents do something in the user's folder. */
function theirs(...calls: readonly Call[]): ContentsModel[] {
  const { endpoint } = s3;
  const input = JSON.stringify({ bucket: BUCKET, user: "jovyan", endpoint, calls });
  const options = { input, env: { ...process.env, ...s3.env }, encoding: "utf8" } as const;
  return JSON.parse(execFileSync(python, [join(__dirname, "stock-manager.py")], options));
}

const file = (text: string) => ({ type: "file", format: "text", content: text });
const names = ({ content }: ContentsModel) => (content as ContentsModel[]).map(({ name }) => name).sort();

it("opens what s3contents wrote and writes what s3contents opens", async () => {
  theirs(
    ["save", notebookOf("theirs"), "old.ipynb"],
    ["save", { type: "directory" }, "données 1"],
    ["save", file("text"), "données 1/a.txt"],
    ["save", { type: "directory" }, "empty"],
  );
  ours = await startNotebookServer(s3, { bucket: BUCKET, user: "jovyan" });
  expect(await ours.list()).toEqual(["données 1", "empty", "old.ipynb"]);
  expect(await ours.list("données 1")).toEqual(["a.txt"]);
  expect(await ours.list("empty")).toEqual([]);
  expect((await ours.get("old.ipynb")).model.content).toMatchObject({ cells: [{ source: "theirs" }] });

  expect((await ours.ask("PUT", "old.ipynb", notebookOf("ours"))).status).toBe(200);
  await ours.ask("PUT", "données 1/new.ipynb", notebookOf("new"));
  await ours.ask("POST", "new.ipynb/checkpoints");
  await ours.ask("PATCH", "données 1", { path: "données 2" });
  await ours.ask("POST", "", { type: "directory" });
  const [top, folder, old, moved, made] = theirs(
    ["get", ""],
    ["get", "données 2"],
    ["get", "old.ipynb"],
    ["get", "données 2/new.ipynb"],
    ["dir_exists", "Untitled Folder"],
  );
  expect(names(top as ContentsModel)).toEqual(["Untitled Folder", "données 2", "empty", "old.ipynb"]);
  expect(names(folder as ContentsModel)).toEqual(["a.txt", "new.ipynb"]);
  expect(old?.content).toMatchObject({ cells: [{ source: "ours" }] });
  expect(moved?.content).toMatchObject({ cells: [{ source: "new" }] });
  expect(made).toBe(true);

  // It writes over what was saved since it read; here that is refused.
  await ours.get("old.ipynb");
  theirs(["save", notebookOf("theirs again"), "old.ipynb"], ["rename", "données 2", "données 3"]);
  expect((await ours.ask("PUT", "old.ipynb", notebookOf("ours again"))).status).toBe(409);
  expect(await ours.list("données 3")).toEqual(["a.txt", "new.ipynb"]);
});
