import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Session } from "pomona";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { storagesFrom } from "../../src/storage";
import { assertWhole, IncompleteWriteError } from "../../src/storage/commit";
import { type S3FaultProxy, startFaultProxy } from "../support/s3-fault-proxy";
import type { S3Request } from "../support/s3-requests";
import { type S3Server, startS3 } from "../support/s3-server";
import { s3Session } from "../support/s3-session";

const BUCKET = "crash-bucket";
const WRITER = join(__dirname, "s3-writer.cjs");

let server: S3Server;
let proxy: S3FaultProxy;
let session: Session;

beforeAll(async () => {
  server = await startS3({ buckets: [BUCKET] });
  proxy = await startFaultProxy(server.endpoint);
  session = await s3Session(server.settings);
});
afterAll(async () => {
  await session?.stop();
  await proxy?.stop();
  await server?.stop();
});

/** Runs the writer; `killAt` is asked of every request, and kills it before that one reaches the server. */
async function write(
  url: string,
  killAt?: (request: S3Request) => boolean,
): Promise<{ code: number | null; errors: string }> {
  const env = { ...process.env, ...server.env, AWS_ENDPOINT_URL_S3: proxy.endpoint };
  const child = spawn(process.execPath, [WRITER, url], { env, stdio: ["ignore", "ignore", "pipe"] });
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += String(chunk);
  });
  proxy.reset();
  if (killAt) {
    let isDead = false;
    const when = (request: S3Request) => {
      if (!isDead && killAt(request)) {
        isDead = true;
        child.kill("SIGKILL");
      }
      return isDead;
    };
    proxy.fault({ when, fault: { kind: "drop" } });
  }
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  proxy.reset();
  return { code, errors };
}

/** True at the n-th request that fits. */
function nth(n: number, fits: (request: S3Request) => boolean) {
  let seen = 0;
  return (request: S3Request) => fits(request) && ++seen === n;
}
const is = (operation: string, key: RegExp) => (request: S3Request) =>
  request.operation === operation && key.test(request.key);

const rowsOf = async (url: string) =>
  (await session.read.parquet(url).orderBy("id").collect()) as { id: number; label: string }[];
const ROWS = Array.from({ length: 400 }, (_, id) => ({ id, label: `fruit ${id}` }));

describe("a driver that is killed while it replaces data in S3", () => {
  const moments: readonly (readonly [name: string, at: () => (request: S3Request) => boolean, committing: boolean])[] =
    [
      ["while its tasks run", () => nth(3, is("PutObject", /task-\d+\.json$/)), false],
      ["before its commit", () => nth(1, is("PutObject", /commit\.json$/)), false],
      ["when its commit begins", () => nth(1, is("CompleteMultipartUpload", /part-/)), true],
      ["within its commit", () => nth(5, is("CompleteMultipartUpload", /part-/)), true],
      ["while old files are removed", () => nth(1, is("DeleteObject", /part-.*old/)), true],
      ["before it says that all is there", () => nth(1, is("PutObject", /_SUCCESS$/)), true],
      ["while it tidies up", () => nth(1, is("ListMultipartUploads", /^/)), true],
    ];

  it.each(moments)("%s: the same command again gives everything once", async (name, at, committing) => {
    const folder = `${BUCKET}/${name.replaceAll(" ", "-")}`;
    const url = `s3://${folder}`;
    const old = session.range(1000, 1010).coalesce(1);
    await old.write.parquet(url);
    const [oldPart] = (await server.keys(BUCKET)).filter(
      (key) => key.includes("part-") && `${BUCKET}/${key}`.startsWith(`${folder}/`),
    );
    const isAt = at();
    const renamed = (request: S3Request) =>
      isAt(request.key.endsWith(oldPart!.split("/").at(-1)!) ? { ...request, key: `${request.key}-old` } : request);

    const killed = await write(url, renamed);
    expect(killed.code, killed.errors).toBeNull();
    const place = storagesFrom(server.settings).at(url);
    if (committing) await expect(assertWhole(place)).rejects.toThrow(IncompleteWriteError);
    else expect((await rowsOf(url)).map(({ id }) => id)).toEqual(Array.from({ length: 10 }, (_, i) => 1000 + i));

    const again = await write(url);
    expect(again).toEqual({ code: 0, errors: "" });
    expect(await rowsOf(url)).toEqual(ROWS);
    const keys = (await server.keys(BUCKET)).filter((key) => `${BUCKET}/${key}`.startsWith(`${folder}/`));
    expect(keys.map((key) => key.replace(/.*\//, "").replace(/-[0-9a-f-]{36}-/, "-"))).toEqual([
      "_SUCCESS",
      ...Array.from({ length: 8 }, (_, i) => `part-0000${i}-c000.snappy.parquet`),
    ]);
    expect(await server.uploads(BUCKET)).toEqual([]);
  });

  it("leaves on record which tasks are done, and the next run does the others only", async () => {
    const url = `s3://${BUCKET}/resumed`;
    await write(url, nth(6, is("PutObject", /task-\d+\.json$/)));
    const done = (await server.keys(BUCKET)).filter((key) => /task-\d+\.json$/.test(key)).length;
    expect(done).toBeGreaterThanOrEqual(4);
    let begun = 0;
    proxy.reset();
    const count = (request: S3Request) => {
      if (is("CreateMultipartUpload", /part-/)(request)) begun++;
      return false;
    };
    await write(url, count);
    expect(begun).toBe(8 - done);
    expect(await rowsOf(url)).toEqual(ROWS);
  });
});
