import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { type FileServer, type ServedFiles, servedFiles } from "../../src/engine/jupyter/served-files";
import { type Passage, travel } from "../../src/engine/jupyter/travel";
import { FileChangedError, StorageError, type Url, urlOf } from "../../src/storage";
import { localStorage } from "../../src/storage/local-storage";
import { type AskFiles, type FileRequest, PIECE_BYTES } from "../../src/worker/file-messages";
import { relayedStorage } from "../../src/worker/relayed-storage";
import type { Task } from "../../src/worker/task";

const folder = mkdtempSync(join(tmpdir(), "pomona-served-"));
const at = (...names: string[]) => urlOf(join(folder, ...names));
const task: Task = {
  jobId: "job",
  stageId: 0,
  partition: 0,
  attempt: 0,
  input: { files: [{ url: at("input.parquet") }], firstRow: 0 },
  steps: [],
  output: {
    url: at("out", "_temporary", "part"),
    publishedAt: at("out", "part"),
    schema: { type: "struct", fields: [] },
    compression: "snappy",
    metadata: {},
  },
  batchSize: 1,
};
let served: ServedFiles;
let server: FileServer;

beforeEach(() => {
  rmSync(folder, { recursive: true, force: true });
  for (const each of ["spool", "images"]) mkdirSync(join(folder, each), { recursive: true });
  for (const each of ["input.parquet", "secret", "spool/shipped", "images/a.jpg", "images/other.txt"])
    writeFileSync(join(folder, each), each);
  served = servedFiles(travel(() => {}));
  served.spool = at("spool");
  const images = [{ url: at("images", "a.jpg"), size: 12, modifiedAt: 0 }];
  served.mayRead("job", [{ kind: "files", what: "images", how: { kind: "file", url: "" }, files: images }]);
  server = served.serverFor("host:1");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function ask(slot: number | undefined, request: FileRequest, piece?: string): Promise<string> {
  const { answer, piece: read } = await server.answer(
    { slot, request, waited: 0, moved: 0 },
    piece ? Buffer.from(piece) : undefined,
  );
  return "failed" in answer ? answer.failed.name : read ? Buffer.from(read).toString() : "done";
}
const read = (slot: number | undefined, url: Url) => ask(slot, { op: "read", url, start: 0, end: 100 });

describe("files of this machine", () => {
  it("are those that the task of a slot reads, for as long as it runs", async () => {
    expect(await read(0, at("input.parquet"))).toBe("StorageAccessError");
    const close = server.open(0, task);
    expect(await read(0, at("input.parquet"))).toBe("input.parquet");
    expect(await read(0, at("images", "a.jpg"))).toBe("images/a.jpg");
    expect(await read(0, at("spool", "shipped"))).toBe("spool/shipped");
    const refused = [
      at("images", "other.txt"),
      at("images"),
      at("secret"),
      at("out", "part"),
      `${at("spool")}/../secret` as Url,
      `${at("images", "a.jpg")}/../other.txt` as Url,
      `file://${join(folder, "secret")}` as Url,
      "file:/etc/passwd" as Url,
    ];
    for (const url of refused) {
      expect([url, await read(0, url)]).toEqual([url, "StorageAccessError"]);
      expect([url, await ask(0, { op: "stat", url })]).toEqual([url, "StorageAccessError"]);
    }
    expect(await read(1, at("input.parquet"))).toBe("StorageAccessError");
    expect(await read(undefined, at("input.parquet"))).toBe("StorageAccessError");
    expect(await read(undefined, at("spool", "shipped"))).toBe("spool/shipped");
    served.jobEnded("job");
    expect(await read(0, at("images", "a.jpg"))).toBe("StorageAccessError");
    await close();
    expect(await read(0, at("input.parquet"))).toBe("StorageAccessError");
  });

  it("are written by a task only where its part goes, whole or not at all", async () => {
    const close = server.open(0, task);
    const { url } = task.output;
    const write = (upload: string, at: number, piece: string, to = url) =>
      ask(0, { op: "write", upload, url: to, at }, piece);
    for (const other of [at("secret"), at("out", "part"), at("spool", "shipped")])
      expect(await write("a", 0, "x", other)).toBe("StorageAccessError");
    expect(await write("a", 0, "one ")).toBe("done");
    expect(await write("a", 4, "two")).toBe("done");
    expect(existsSync(join(folder, "out", "_temporary", "part"))).toBe(false);
    expect(await ask(0, { op: "finish", upload: "a", url })).toBe("done");
    expect(readFileSync(join(folder, "out", "_temporary", "part"), "utf8")).toBe("one two");
    // A piece that did not arrive.
    expect(await write("b", 0, "one ")).toBe("done");
    expect(await write("b", 6, "o")).toBe("StorageError");
    await close();
    expect(readdirSync(join(folder, "out", "_temporary"))).toEqual(["part"]);
    expect(readFileSync(join(folder, "secret"), "utf8")).toBe("secret");
  });
});

describe("the same files from elsewhere", () => {
  const sizes = [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 5 * PIECE_BYTES + 7];
  /** No machine has this folder, so that nothing is read where the test runs. */
  const nowhere = join(folder, "nowhere");
  let pieces = 0;
  let before: (piece: number) => void = () => {};
  const ask: AskFiles = (request, piece) => {
    if (request.op === "read") before(++pieces);
    const url = "url" in request ? (request.url.replace(nowhere, folder) as Url) : undefined;
    const asked = { ...request, ...(url === undefined ? {} : { url }) } as FileRequest;
    return server.answer({ slot: undefined, request: asked, waited: 0, moved: 0 }, piece);
  };
  const relayed = relayedStorage(ask);

  it("are the same bytes, whole, by ranges and as a stream", async () => {
    for (const size of sizes) {
      const content = randomBytes(size);
      writeFileSync(join(folder, "spool", "file"), content);
      const url = urlOf(join(nowhere, "spool", "file"));
      const listings = [undefined, { size, modifiedAt: 0 }, { size: Math.floor(size / 3), modifiedAt: 0 }];
      for (const listed of listings) expect(content.equals(await relayed.readFile(url, { listed }))).toBe(true);
      const streamed: Uint8Array[] = [];
      for await (const chunk of relayed.readStream(url)) streamed.push(chunk);
      expect(content.equals(Buffer.concat(streamed))).toBe(true);
      for (const [start, end] of [
        [0, size],
        [1, size + 5],
        [size, size + 9],
        [PIECE_BYTES - 3, 3 * PIECE_BYTES],
      ] as const) {
        const range = await relayed.readRange(url, start, end);
        expect(content.subarray(start, end).equals(range)).toBe(true);
      }
    }
  });

  it("are told to have changed where they did between two pieces", async () => {
    const url = urlOf(join(nowhere, "spool", "file"));
    for (const change of [Buffer.alloc(PIECE_BYTES), Buffer.alloc(4 * PIECE_BYTES)]) {
      writeFileSync(join(folder, "spool", "file"), randomBytes(3 * PIECE_BYTES));
      pieces = 0;
      before = (piece) => {
        if (piece === 2) writeFileSync(join(folder, "spool", "file"), change);
      };
      await expect(relayed.readFile(url)).rejects.toThrow(FileChangedError);
    }
    before = () => {};
  });

  it("fail as they do there", async () => {
    for (const name of ["missing", "."]) {
      const here = await localStorage.readFile(urlOf(join(folder, "spool", name))).catch((error: Error) => error);
      const there = await relayed.readFile(urlOf(join(nowhere, "spool", name))).catch((error: Error) => error);
      expect(there).toBeInstanceOf(StorageError);
      expect([(there as Error).name, (there as Error).message]).toEqual([
        (here as Error).name,
        (here as Error).message,
      ]);
    }
  });
});

describe("what travels", () => {
  const passage = (more: Partial<Passage>): Passage => ({
    endpoint: "host:1",
    kind: "input",
    url: at("images", "a.jpg"),
    jobId: "job",
    bytes: 2e6,
    line: { waited: 0, moved: 0 },
    ...more,
  });

  it("is told once for each kind, by the time in which workers waited, and in all where it is much", () => {
    const told: string[] = [];
    const counted = travel((text) => told.push(text));
    counted.sent(passage({ bytes: 1e6 }));
    counted.sent(passage({ bytes: 1e6, line: { waited: 500, moved: 2e6 } }));
    counted.sent(passage({ kind: "spool", bytes: 1000 }));
    expect(told).toEqual([]);
    counted.jobEnded("job");
    expect(told).toEqual([
      expect.stringMatching(/^Files travel from this machine to host:1, .*: 4\.0 MB\/s\. Put them/),
    ]);
    counted.sent(passage({}));
    counted.received(passage({ kind: "output", bytes: 150e6, line: { waited: 1000, moved: 150e6 } }));
    counted.jobEnded("job");
    expect(told.slice(1)).toEqual([
      expect.stringContaining("What is written travels from host:1"),
      "In this job 2.0 MB went from this machine to its workers, and 150 MB came from its workers to this machine.",
    ]);
  });
});
