import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePorts } from "../support/free-ports";

const SCRIPT = join(__dirname, "..", "..", "scripts", "s3.mjs");
const env = { ...process.env, AWS_EC2_METADATA_DISABLED: "true" };
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pomona-npm-s3-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (args: string[], variables: NodeJS.ProcessEnv = env) =>
  spawnSync(process.execPath, [SCRIPT, ...args], { encoding: "utf8", env: variables });

/** Starts it, gives what it printed to `use`, and ends it as Ctrl-C does. Returns its exit code. */
async function running(args: string[], use: (printed: string) => Promise<void>): Promise<number | null> {
  const child = spawn(process.execPath, [SCRIPT, ...args], { env, stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  try {
    const printed = await new Promise<string>((resolve, reject) => {
      let text = "";
      child.stdout.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        if (text.endsWith("} }\n")) resolve(text);
      });
      child.once("exit", () => reject(new Error(`It ended: ${text}`)));
    });
    await use(printed);
  } finally {
    child.kill("SIGINT");
  }
  return exited;
}

it("serves a bucket of images until Ctrl-C, by the lines that it prints, and keeps them where it is told", async () => {
  const [port] = await freePorts(1);
  const { signedFetch } = (await import("../../scripts/s3-server.mjs" as string)) as {
    signedFetch(access: object, request: object): Promise<Response>;
  };
  const args = ["--port", String(port), "--data", join(folder, "kept"), "--images"];
  const keysBy = async (printed: string) => {
    const exported = Object.fromEntries(
      [...printed.matchAll(/(AWS_\w+)=(\S+)/g)].map(([, name, value]) => [name, value]),
    );
    const { conf } = JSON.parse(printed.slice(printed.indexOf("{"))) as { conf: Record<string, string> };
    expect(conf).toMatchObject({
      "spark.hadoop.fs.s3a.endpoint": exported.AWS_ENDPOINT_URL_S3,
      "spark.hadoop.fs.s3a.access.key": exported.AWS_ACCESS_KEY_ID,
    });
    const access = {
      endpoint: exported.AWS_ENDPOINT_URL_S3,
      accessKey: exported.AWS_ACCESS_KEY_ID,
      secretKey: exported.AWS_SECRET_ACCESS_KEY,
    };
    const listing = await (await signedFetch(access, { key: "pomona", query: { "list-type": "2" } })).text();
    return [...listing.matchAll(/<Key>(Test\/[^/<]+)\/[^/<]+\.jpg<\/Key>/g)].map(([, label]) => label);
  };
  let first: unknown[] = [];
  const ended = await running([...args, "3"], async (printed) => {
    expect(printed).toContain("3 images in s3://pomona/Test/");
    first = await keysBy(printed);
  });
  expect([ended, new Set(first).size]).toEqual([0, 3]);
  await running([...args, "0"], async (printed) => {
    expect(await keysBy(printed)).toEqual(first);
  });
});

it("explains itself, and says what is wrong or missing", async () => {
  expect(run(["--help"])).toMatchObject({ status: 0, stdout: expect.stringContaining("--images N") });
  expect(run(["--port", "here"])).toMatchObject({ status: 2, stderr: expect.stringContaining("--port") });
  const taken = createServer();
  const port = await new Promise<number>((resolve) =>
    taken.listen(0, "127.0.0.1", () => resolve((taken.address() as { port: number }).port)),
  );
  expect(run(["--port", String(port)])).toMatchObject({
    status: 1,
    stderr: `Port ${port} is taken: choose another one by --port.\n`,
  });
  taken.close();

  const bin = join(folder, "bin");
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, "node"));
  const without = { ...env, PATH: bin, POMONA_CACHE_DIR: join(folder, "cache") };
  expect(run([], without)).toMatchObject({ status: 1, stderr: expect.stringMatching(/Go 1\.25 or newer.*not found/) });
  writeFileSync(join(bin, "go"), "#!/bin/sh\necho go1.19.8\n", { mode: 0o755 });
  expect(run([], without)).toMatchObject({ status: 1, stderr: expect.stringMatching(/is needed; this is Go 1\.19/) });
});
