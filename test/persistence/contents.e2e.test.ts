import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type S3FaultProxy, startFaultProxy } from "../support/s3-fault-proxy";
import { s3Error, s3Errors } from "../support/s3-faults";
import { type NotebookServer, notebookOf, startNotebookServer } from "../support/s3-notebooks";
import { type S3Server, startS3 } from "../support/s3-server";

const BUCKET = "notebooks";
const MIB = 1 << 20;

let s3: S3Server;
let proxy: S3FaultProxy;
/** Ann's server, with the proxy before S3; and the one of somebody else with the same notebooks. */
let ann: NotebookServer;
let other: NotebookServer;

beforeAll(async () => {
  s3 = await startS3({ buckets: [BUCKET] });
  proxy = await startFaultProxy(s3.endpoint);
  [ann, other] = await Promise.all([
    startNotebookServer(s3, { bucket: BUCKET, endpoint: proxy.endpoint }),
    startNotebookServer(s3, { bucket: BUCKET }),
  ]);
});
afterEach(() => proxy.reset());
afterAll(async () => {
  await Promise.all([ann?.stop(), other?.stop()]);
  await proxy?.stop();
  await s3?.stop();
});

const keys = async (below: string) =>
  (await s3.keys(BUCKET)).filter((key) => key.startsWith(below)).map((key) => key.slice(below.length));
const textOf = async (server: NotebookServer, path: string) => (await server.get(path)).model.content;

describe("notebooks in S3", () => {
  it("keeps notebooks, text and bytes as EMR's JupyterHub lays them out", async () => {
    expect((await ann.ask("PUT", "one.ipynb", notebookOf("hello"))).status).toBe(201);
    expect((await ann.ask("POST", "", { type: "directory" })).model.path).toBe("Untitled Folder");
    const bytes = Buffer.from([0, 255, 128, 10, 13]).toString("base64");
    await ann.ask("PUT", "Untitled Folder/b.png", { type: "file", format: "base64", content: bytes });
    expect(await keys("jupyter/ann/")).toEqual([
      ".s3keep",
      "Untitled Folder/.s3keep",
      "Untitled Folder/b.png",
      "one.ipynb",
    ]);
    expect(await ann.list()).toEqual(["Untitled Folder", "one.ipynb"]);
    expect((await other.get("one.ipynb")).model.content).toMatchObject({ cells: [{ source: "hello" }] });
    expect((await other.get("Untitled Folder/b.png")).model).toMatchObject({
      content: bytes,
      format: "base64",
      mimetype: "image/png",
    });
    expect((await ann.get("nothing.ipynb")).status).toBe(404);
    expect((await ann.get("one.ipynb", { type: "directory" })).status).toBe(400);
    expect((await ann.get("Untitled Folder/b.png", { format: "text" })).status).toBe(400);
  });

  it("shows what other tools left, without their markers", async () => {
    const put = (key: string, body = "") => s3.put(`${BUCKET}/jupyter/ann/emr/${key}`, body);
    await put("e-AB12/Untitled.ipynb", JSON.stringify((notebookOf("studio") as { content: object }).content));
    await put("e-AB12/.ipynb_checkpoints/Untitled-checkpoint.ipynb", "{}");
    await put("e-AB12/.aws-editors-workspace-metadata/x.json", "{}");
    await put("spark_$folder$");
    await put("spark/part-00000-c000.snappy.parquet", "PAR1");
    await put("console/");
    await put("_metadata", "m");
    expect(await ann.list("emr")).toEqual(["_metadata", "console", "e-AB12", "spark"]);
    expect(await ann.list("emr/e-AB12")).toEqual(["Untitled.ipynb"]);
    expect(await ann.list("emr/console")).toEqual([]);
    expect((await ann.get("emr/e-AB12/Untitled.ipynb")).model.type).toBe("notebook");
    const [checkpoint] = (await ann.ask("GET", "emr/e-AB12/Untitled.ipynb/checkpoints")).model as unknown as object[];
    expect(checkpoint).toMatchObject({ id: "checkpoint" });
  });

  it("takes any name that a key can have, and none that leads out of the user's folder", async () => {
    const names = [
      "a+b %41&=#?.txt",
      "é 🍎.ipynb.txt",
      "quo\"te's.txt",
      "back\\slash.txt",
      "trailing .txt",
      "a:b;c,d!.txt",
      "<x>&amp;.txt",
    ];
    for (const name of names)
      expect([name, (await ann.saveText(`odd names/${name}`, name)).status]).toEqual([name, 201]);
    expect(await ann.list("odd names")).toEqual([...names].sort());
    for (const name of names) expect(await textOf(ann, `odd names/${name}`)).toBe(name);
    expect((await ann.ask("PATCH", "odd names", { path: "odd + names" })).status).toBe(200);
    expect(await keys("jupyter/ann/odd + names/")).toEqual([".s3keep", ...names].sort());

    for (const path of ["../bob/x.txt", "a/../../bob/x.txt", "..", "odd + names/../../bob/x.txt"]) {
      // As a client that does not tidy up paths sends it.
      const raw = path.replaceAll(".", "%2e");
      const url = `${ann.baseUrl}api/contents/${raw}`;
      const headers = { authorization: `token ${ann.token}` };
      const body = JSON.stringify({ type: "file", format: "text", content: "x" });
      expect([path, (await fetch(url, { method: "PUT", headers, body })).ok]).toEqual([path, false]);
      expect([path, (await ann.ask("PATCH", "one.ipynb", { path })).status]).toEqual([path, 400]);
    }
    expect((await s3.keys(BUCKET)).filter((key) => !key.startsWith("jupyter/ann/"))).toEqual([]);
  });

  it("lists 500 notebooks by one request", async () => {
    await Promise.all(Array.from({ length: 500 }, (_, i) => s3.put(`${BUCKET}/jupyter/ann/many/n${i}.ipynb`, "{}")));
    await s3.put(`${BUCKET}/jupyter/ann/many/sub/n.ipynb`, "{}");
    expect((await ann.get("many", { type: "directory", content: "0" })).status).toBe(200);
    proxy.reset();
    expect((await ann.list("many")).length).toBe(501);
    const asked = proxy.requests.filter(({ query }) => query.get("delimiter") === "/");
    expect(asked.map(({ operation }) => operation)).toEqual(["ListObjectsV2"]);
    expect(proxy.requests.length).toBeLessThanOrEqual(2);
    // The name of a new one takes one listing too, not a question a name.
    proxy.reset();
    expect((await ann.ask("POST", "many", { copy_from: "many/sub/n.ipynb", type: "notebook" })).status).toBe(400);
    for (let i = 0; i < 5; i++) await s3.put(`${BUCKET}/jupyter/ann/many/Untitled${i || ""}.ipynb`, "{}");
    expect((await ann.ask("POST", "many", { type: "notebook" })).model.name).toBe("Untitled5.ipynb");
    expect(proxy.counts().ListObjectsV2).toBeLessThanOrEqual(3);
    expect((await ann.ask("DELETE", "many")).status).toBe(204);
    expect(await keys("jupyter/ann/many/")).toEqual([]);
  });
});

describe("a save where somebody else saved", () => {
  it("is refused, and nothing is replaced, until the other version was looked at", async () => {
    await ann.saveText("shared.txt", "first");
    expect(await textOf(other, "shared.txt")).toBe("first");
    expect((await other.saveText("shared.txt", "other's")).status).toBe(200);
    const refused = await ann.saveText("shared.txt", "ann's");
    expect([refused.status, refused.message]).toEqual([
      409,
      expect.stringMatching(/^shared.txt was saved by somebody else.*Nothing was replaced/),
    ]);
    expect((await ann.saveText("shared.txt", "ann's")).status).toBe(409);
    expect(await textOf(ann, "shared.txt")).toBe("other's");
    expect((await ann.saveText("shared.txt", "both")).status).toBe(200);
    // Within one second, which S3's times do not tell apart, the hash does.
    expect(await textOf(other, "shared.txt")).toBe("both");
    const before = (await ann.get("shared.txt", { content: "0", hash: "1" })).model;
    await other.saveText("shared.txt", "BOTH");
    const after = (await ann.get("shared.txt", { content: "0", hash: "1" })).model;
    expect(after.hash).not.toBe(before.hash);
    expect(Date.parse(after.last_modified)).toBeGreaterThanOrEqual(Date.parse(before.last_modified) + 1000);
  });

  it("is told what it saved, so that a client does not take another's version for its own", async () => {
    await ann.saveText("own.txt", "1");
    await other.get("own.txt");
    const saved = await ann.saveText("own.txt", "2");
    await other.get("own.txt");
    await other.saveText("own.txt", "3");
    const mine = await ann.get("own.txt", { content: "0", hash: "1" });
    expect([mine.model.size, mine.model.last_modified]).toEqual([1, saved.model.last_modified]);
    const theirs = await ann.get("own.txt", { content: "0", hash: "1" });
    expect(theirs.model.hash).not.toBe(mine.model.hash);
  });

  it("goes by what the client says that it has, where it says so", async () => {
    await ann.saveText("told.txt", "1");
    const { hash } = (await ann.get("told.txt", { hash: "1" })).model;
    const { last_modified } = (await ann.get("told.txt", { hash: "1" })).model;
    expect((await ann.saveText("told.txt", "2", { hash })).status).toBe(200);
    expect((await ann.saveText("told.txt", "3", { hash })).status).toBe(409);
    const old = new Date(Date.parse(last_modified) - 60_000).toISOString();
    expect((await ann.saveText("told.txt", "3", { last_modified: old })).status).toBe(409);
    expect(await textOf(ann, "told.txt")).toBe("2");
  });

  it("holds for a new file, a file in parts and a checkpoint that is restored", async () => {
    proxy.fault({ operation: "PutObject", key: /new\.txt$/, times: 1, fault: { kind: "slow", milliseconds: 10 } });
    const both = await Promise.all([ann.saveText("new.txt", "a"), other.saveText("new.txt", "b")]);
    const won = both.filter(({ status }) => status === 201).length;
    expect([won, both.filter(({ status }) => status === 409 || status === 200).length]).toEqual([won, 2 - won]);

    const big = (letter: string) => letter.repeat(17 * MIB);
    expect((await ann.saveText("big.txt", big("a"))).status).toBe(201);
    await other.get("big.txt", { content: "0" });
    await other.saveText("big.txt", big("b"));
    expect((await ann.saveText("big.txt", big("c"))).status).toBe(409);
    expect(((await ann.get("big.txt")).model.content as string)[0]).toBe("b");
    expect(await s3.uploads(BUCKET)).toEqual([]);

    await ann.saveText("kept.txt", "1");
    expect((await ann.ask("POST", "kept.txt/checkpoints")).status).toBe(201);
    await ann.saveText("kept.txt", "2");
    await other.get("kept.txt");
    await other.saveText("kept.txt", "other's");
    expect((await ann.ask("POST", "kept.txt/checkpoints/checkpoint")).status).toBe(409);
    expect(await textOf(ann, "kept.txt")).toBe("other's");
    expect((await ann.ask("POST", "kept.txt/checkpoints/checkpoint")).status).toBe(204);
    expect(await textOf(ann, "kept.txt")).toBe("1");
  });

  it("is not its own somebody else where an answer was lost", async () => {
    await ann.saveText("lost.txt", "1");
    const met = proxy.fault({
      operation: "PutObject",
      key: /lost\.txt$/,
      times: 1,
      fault: { kind: "drop", after: true },
    });
    expect((await ann.saveText("lost.txt", "2")).status).toBe(200);
    expect([met(), await textOf(other, "lost.txt")]).toEqual([1, "2"]);
    proxy.reset();
    proxy.fault({ operation: "PutObject", key: /lost2\.txt$/, times: 1, fault: { kind: "drop", after: true } });
    expect((await ann.saveText("lost2.txt", "1")).status).toBe(201);
    proxy.reset();
    proxy.fault({ operation: "CompleteMultipartUpload", times: 1, fault: { kind: "drop", after: true } });
    expect((await ann.saveText("lost3.txt", "x".repeat(17 * MIB))).status).toBe(201);
    proxy.reset();
    proxy.fault({ operation: "PutObject", key: /lost\.txt$/, times: 2, fault: s3Errors.conflict });
    expect((await ann.saveText("lost.txt", "3")).status).toBe(200);
  });
});

describe("large files", () => {
  it("are saved in parts, and one that failed leaves nothing", async () => {
    const content = (notebookOf("x".repeat(50 * MIB)) as { content: object }).content;
    const saved = await ann.ask("PUT", "large.ipynb", { type: "notebook", format: "json", content });
    expect([saved.status, proxy.counts().UploadPart]).toEqual([201, 7]);
    expect((await other.get("large.ipynb", { content: "0" })).model.size).toBeGreaterThan(50 * MIB);
    // Its name is another one afterwards, its content is not.
    const { hash } = (await ann.get("large.ipynb", { content: "0", hash: "1" })).model;
    await ann.ask("PATCH", "large.ipynb", { path: "renamed.ipynb" });
    expect((await ann.get("renamed.ipynb", { content: "0", hash: "1" })).model.hash).toBe(hash);

    proxy.fault({ operation: "UploadPart", skip: 2, fault: s3Error(403, "AccessDenied", "Access Denied") });
    const failed = await ann.saveText("failed.txt", "x".repeat(40 * MIB));
    expect([failed.status, failed.message]).toEqual([403, expect.stringMatching(/needs s3:PutObject/)]);
    expect((await ann.get("failed.txt")).status).toBe(404);
    expect(await s3.uploads(BUCKET)).toEqual([]);
  });

  it("come from the browser in pieces, and are there once they are whole", async () => {
    const piece = (chunk: number, content: Buffer) =>
      ann.ask("PUT", "pieces.bin", { type: "file", format: "base64", chunk, content: content.toString("base64") });
    const bytes = Buffer.alloc(20 * MIB + 5, Buffer.from([0, 255, 1, 254, 2, 200, 3]));
    const size = 4 * MIB;
    for (let n = 0; n < 5; n++) {
      expect((await piece(n + 1, bytes.subarray(n * size, (n + 1) * size))).status).toBeLessThan(300);
      expect((await ann.get("pieces.bin")).status).toBe(404);
    }
    expect((await piece(-1, bytes.subarray(5 * size))).model.size).toBe(bytes.length);
    expect(Buffer.from((await other.get("pieces.bin")).model.content as string, "base64").equals(bytes)).toBe(true);
    expect((await piece(1, bytes.subarray(0, 10 * MIB))).status).toBe(200);
    expect(await s3.uploads(BUCKET)).toEqual(["jupyter/ann/pieces.bin"]);
    expect((await piece(3, Buffer.from("x"))).status).toBe(400);
    expect(await s3.uploads(BUCKET)).toEqual([]);
  });
});

describe("renaming and removing folders", () => {
  const fill = (folder: string, n = 40) =>
    Promise.all(
      Array.from({ length: n }, (_, i) => s3.put(`${BUCKET}/jupyter/ann/${folder}/d${i % 3}/f${i}.txt`, `${i}`)),
    );

  it.each([
    ["in the middle of its copies", "CopyObject", 15],
    ["in the middle of its removals", "DeleteObject", 15],
  ])("goes on where a server was killed %s", async (_, operation, skip) => {
    await fill("from");
    const before = await keys("jupyter/ann/from/");
    const dying = await startNotebookServer(s3, { bucket: BUCKET, endpoint: proxy.endpoint });
    const met = proxy.fault({ operation, skip, fault: { kind: "stall" } });
    const asked = dying.ask("PATCH", "from", { path: "to" }).catch(() => undefined);
    await expect.poll(met).toBeGreaterThan(0);
    await dying.kill();
    await asked;
    proxy.reset();
    const inBoth = new Set([...(await keys("jupyter/ann/from/")), ...(await keys("jupyter/ann/to/"))]);
    expect(before.filter((key) => !inBoth.has(key))).toEqual([]);
    expect((await keys("jupyter/ann/from/")).length).toBeGreaterThan(0);

    expect((await ann.ask("PATCH", "from", { path: "to" })).status).toBe(200);
    expect(await keys("jupyter/ann/from/")).toEqual([]);
    expect(await keys("jupyter/ann/to/")).toEqual(before);
    for (const i of [0, 17, 39]) expect(await textOf(ann, `to/d${i % 3}/f${i}.txt`)).toBe(`${i}`);
    expect((await ann.ask("DELETE", "to")).status).toBe(204);
    expect(await keys("jupyter/ann/to/")).toEqual([]);
  });

  it("takes what was saved meanwhile along, and never another folder's place", async () => {
    await fill("src", 20);
    const late = () => s3.put(`${BUCKET}/jupyter/ann/src/late.txt`, "late");
    const met = proxy.fault({ operation: "DeleteObject", skip: 3, times: 1, before: late });
    expect((await ann.ask("PATCH", "src", { path: "dst" })).status).toBe(200);
    expect(met()).toBe(1);
    expect(await keys("jupyter/ann/src/")).toEqual([]);
    expect(await textOf(ann, "dst/late.txt")).toBe("late");

    await fill("src", 3);
    const refused = await ann.ask("PATCH", "src", { path: "dst" });
    expect([refused.status, refused.message]).toEqual([409, expect.stringMatching(/exists already/)]);
    expect((await ann.ask("PATCH", "src/d0/f0.txt", { path: "dst/late.txt" })).status).toBe(409);
    expect((await ann.ask("PATCH", "src", { path: "src/d0/x" })).status).toBe(400);
    expect((await ann.ask("PATCH", "src", { path: "none/x" })).status).toBe(404);
    expect((await ann.ask("PATCH", "none", { path: "x" })).status).toBe(404);
    expect(await keys("jupyter/ann/src/")).toEqual(expect.arrayContaining(["d0/f0.txt", "d1/f1.txt", "d2/f2.txt"]));
  });

  it("ends a removal that stopped, and keeps a folder whose last file went", async () => {
    await fill("gone", 5);
    proxy.fault({ operation: "DeleteObjects", fault: s3Errors.internalError });
    expect((await ann.ask("DELETE", "gone")).status).toBeGreaterThanOrEqual(500);
    proxy.reset();
    expect((await ann.ask("DELETE", "gone")).status).toBe(204);
    expect(await keys("jupyter/ann/gone/")).toEqual([]);
    await fill("lone", 1);
    expect((await ann.ask("DELETE", "lone/d0/f0.txt")).status).toBe(204);
    expect(await ann.list("lone")).toEqual(["d0"]);
  });

  it("takes a notebook's checkpoint along", async () => {
    await ann.ask("PUT", "with.ipynb", notebookOf("1"));
    await ann.ask("POST", "with.ipynb/checkpoints");
    expect(await keys("jupyter/ann/.ipynb_checkpoints/with")).toEqual(["-checkpoint.ipynb"]);
    await ann.ask("PATCH", "with.ipynb", { path: "d/moved.ipynb" });
    await ann.ask("POST", "", { type: "directory" });
    await ann.ask("PATCH", "with.ipynb", { path: "Untitled Folder/moved.ipynb" });
    expect(await keys("jupyter/ann/Untitled Folder/.ipynb_checkpoints/")).toEqual(["moved-checkpoint.ipynb"]);
    expect((await ann.ask("GET", "Untitled Folder/moved.ipynb/checkpoints")).model).toMatchObject([
      { id: "checkpoint" },
    ]);
    await ann.ask("DELETE", "Untitled Folder/moved.ipynb");
    expect(await keys("jupyter/ann/Untitled Folder/.ipynb_checkpoints/")).toEqual([]);
  });
});

describe("what S3 refuses", () => {
  it.each([
    ["accessDenied", 403, /ListObjectsV2 of s3:\/\/notebooks\/jupyter\/ann\/: S3 denies it.*needs s3:ListBucket/],
    ["invalidAccessKeyId", 403, /does not know the server's access key.*Renew/],
    ["signatureDoesNotMatch", 403, /does not know the server's access key/],
    ["expiredToken", 403, /have expired. Renew/],
    ["requestTimeTooSkewed", 403, /clock is wrong/],
    ["noSuchBucket", 503, /There is no bucket notebooks.*jupyter-s3-conf.json/],
    ["kmsDenied", 403, /kms:Decrypt/],
    ["slowDown", 503, /slow down/],
  ] as const)("reaches the browser as a message: %s", async (name, status, message) => {
    proxy.fault({ operation: "ListObjectsV2", fault: s3Errors[name] });
    expect(await ann.get("")).toMatchObject({ status, message: expect.stringMatching(message) });
  });

  it("is tried again where that may help", async () => {
    await ann.saveText("again.txt", "again");
    proxy.fault({ operation: "GetObject", times: 1, fault: { kind: "cut", bytes: 2 } });
    expect(await textOf(ann, "again.txt")).toBe("again");
    proxy.reset();
    proxy.fault({ operation: "GetObject", times: 1, fault: { kind: "changed" } });
    expect(await textOf(ann, "again.txt")).toBe("again");
    for (const fault of [s3Errors.slowDown, s3Errors.internalError, { kind: "drop" } as const]) {
      proxy.reset();
      proxy.fault({ operation: "PutObject", times: 2, fault });
      expect((await ann.saveText("again.txt", fault.kind)).status).toBe(200);
    }
  });

  it("names the lack of credentials and of a server", async () => {
    const wrong = await startNotebookServer(s3, { bucket: "nothere", keys: { accessKey: "", secretKey: "" } });
    const answer = await wrong.get("");
    await wrong.stop();
    expect([answer.status, answer.message]).toEqual([
      403,
      expect.stringMatching(/no credentials for S3.*machine's role/),
    ]);
  });
});

it("leaves no upload of a server that was killed in mid-save, and loses nothing that was acknowledged", async () => {
  const options = ["--S3Contents.abandoned_after=1"];
  const dying = await startNotebookServer(s3, { bucket: BUCKET, endpoint: proxy.endpoint, options });
  await dying.saveText("alive.txt", "acknowledged");
  await dying.get("alive.txt");
  proxy.fault({ operation: "UploadPart", skip: 2, fault: { kind: "stall" } });
  const asked = dying.saveText("alive.txt", "x".repeat(40 * MIB)).catch(() => undefined);
  await expect.poll(() => proxy.counts().UploadPart ?? 0).toBeGreaterThan(2);
  await dying.kill();
  await asked;
  proxy.reset();
  expect(await s3.uploads(BUCKET)).toEqual(["jupyter/ann/alive.txt"]);
  const next = await startNotebookServer(s3, { bucket: BUCKET, options });
  expect(await textOf(next, "alive.txt")).toBe("acknowledged");
  expect((await next.list()).length).toBeGreaterThan(5);
  // A look before the upload was a second old left it.
  const left = async () => {
    await next.list();
    return s3.uploads(BUCKET);
  };
  await expect.poll(left).toEqual([]);
  await next.stop();
});
