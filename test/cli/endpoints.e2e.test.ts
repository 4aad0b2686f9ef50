import { once } from "node:events";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, expect, it } from "vitest";
import { VERSION } from "../../src/version";
import { fakeJupyter, fakeServer } from "../support/fake-jupyter";
import { freePorts } from "../support/free-ports";
import { KERNEL_NAME, kernelspecFolder, type RunningServer, startJupyterServer } from "../support/jupyter-server";
import { type S3Server, startS3 } from "../support/s3-server";
import { expectError, type Outcome, QUICK, resultOf, workplace } from "./command-line";

const at = workplace();
const jupyterPath = kernelspecFolder();
let server: RunningServer;
/** Its workers have another S3 server by their environment. */
let elsewhere: RunningServer;
let [s3, otherS3]: S3Server[] = [];

beforeAll(async () => {
  [s3, otherS3] = await Promise.all([startS3({ buckets: ["fruits"] }), startS3({ buckets: ["fruits"] })]);
  await s3?.put("fruits/Test/Kiwi/1.jpg", "an image");
  await otherS3?.put("fruits/Test/Kiwi/1.jpg", "another image");
  [server, elsewhere] = await Promise.all([
    startJupyterServer({ jupyterPath, env: s3?.env ?? {} }),
    startJupyterServer({ jupyterPath, env: otherS3?.env ?? {} }),
  ]);
});
afterAll(async () => {
  await Promise.all([server, elsewhere, s3, otherS3].map((each) => each?.stop()));
  rmSync(jupyterPath, { recursive: true, force: true });
});

const kernelsOf = async ({ baseUrl, token }: RunningServer) =>
  (await (await fetch(`${baseUrl}api/kernels?token=${token}`)).json()) as { readonly id: string }[];

interface Told {
  readonly usable: boolean;
  readonly error?: { readonly name: string; readonly message: string };
}

/** By endpoint's name. */
function toldBy({ stdout }: Outcome): Readonly<Record<string, Told>> {
  const { endpoints } = JSON.parse(stdout) as { endpoints: (Told & { endpoint: string })[] };
  return Object.fromEntries(endpoints.map((each) => [each.endpoint, each]));
}

it("tells of each what it is and sees, and leaves no kernel and no file", async () => {
  const token = at.file("token", `${server.token}\n`);
  const listed = [server, elsewhere].map(({ baseUrl }) => ({ url: baseUrl, slots: 3, kernel: KERNEL_NAME }));
  const file = at.file("endpoints.json", JSON.stringify(listed));
  mkdirSync(at.path("shared"));
  const args = ["endpoints", "check", "--endpoints", file, "--token-file", token, "--files", at.path("shared")];
  const env = s3?.env ?? {};
  const names = [server, elsewhere].map(({ baseUrl }) => new URL(baseUrl).host) as [string, string];

  const outcome = await at.pomona([...args, "--bucket", "s3://fruits/Test", "--json"], { env });
  expect(outcome.stderr).toBe("");
  const told = toldBy(outcome);
  expect(told[names[0]]).toMatchObject({
    ...{ usable: true, pomona: VERSION, jupyter: expect.stringMatching(/^2\./), node: process.version, slots: 3 },
    ...{ files: true, bucket: true },
  });
  for (const number of ["cores", "memory", "roundTrip"] as const)
    expect((told[names[0]] as unknown as Record<string, number>)[number]).toBeGreaterThan(0);
  expect(told[names[1]]).toMatchObject({ usable: false, files: true, bucket: false });
  expect(told[names[1]]?.error).toMatchObject({
    name: "EndpointFilesError",
    message: expect.stringMatching(/see another s3:\/\/fruits\/Test\/Kiwi\/1\.jpg/),
  });
  expect(outcome.code).toBe(1);

  // The session's own settings win over what the machine has.
  const conf = Object.entries(s3?.settings ?? {}).flatMap(([name, value]) => ["--conf", `${name}=${value}`]);
  const table = await at.pomona([...args, "--bucket", "s3://fruits/Test", ...conf]);
  console.log(table.stdout);
  expect(table.stdout).toMatch(/^ENDPOINT +STATE +POMONA +JUPYTER +NODE +FILES +BUCKET +SLOTS/);
  for (const name of names)
    expect(table.stdout).toMatch(new RegExp(`^${name} +ready +${VERSION} .* yes +yes +3 `, "m"));
  expect(table.code).toBe(0);
  for (const each of [server, elsewhere]) expect(await kernelsOf(each)).toEqual([]);
  expect(readdirSync(at.path("shared"))).toEqual([]);
  at.expectNothing();
});

it("runs the tasks of commands, named by --master", async () => {
  await at.fruits("fruits", { classes: 1, perClass: 2 });
  const env = { POMONA_ENDPOINT_TOKEN: server.token };
  const master = ["--master", `jupyter://${new URL(server.baseUrl).host}`, "--json"];
  const made = resultOf(await at.pomona(["featurize", "fruits", "features", ...QUICK, ...master], { env }));
  expect(made).toMatchObject({ rows: 2, failedRows: 0 });
  const reduced = ["pca", "features", "reduced", "--k", "1", "-q", ...master];
  expect(resultOf(await at.pomona(reduced, { env }))).toMatchObject({ rows: 2 });
  const refused = await at.pomona(["sample", "fruits", "some", "-q", ...master]);
  expectError(refused, "EndpointAccessError", [/there is none/]);
  expect(await kernelsOf(server)).toEqual([]);
});

it("names what is wrong with each, and what to do", async () => {
  const [free] = await freePorts(1);
  const hello = { version: VERSION, node: process.version, cores: 1, memory: 1e9, pid: 1 };
  const page = await fakeServer((_, response) => response.end("<html>Sign in</html>"));
  const older = await fakeJupyter({ ...hello, version: "0.0.1" });
  const blind = await fakeJupyter(hello);
  const wrongToken = at.file("wrong", "hush\n");
  const toldFrom = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const { stdout } = await at.pomona(["endpoints", "check", ...args], { env });
    expect(stdout).not.toContain("hush");
    return /the token is refused \(HTTP 403\)\.\nIt is from (.*?)\. Set .*--token-file\./.exec(stdout)?.[1];
  };
  const [own] = [server].map(({ baseUrl }) => new URL(baseUrl).host) as [string];
  try {
    const byTls = server.baseUrl.replace("http://127.0.0.1", "https://localhost");
    const urls = [server.baseUrl, byTls, `http://127.0.0.1:${free}`, page.name, `jupyter://${older.name}`, blind.name];
    const outcome = await at.pomona(["endpoints", "check", ...urls, "--files", tmpdir(), "--json"]);
    expect(outcome.code).toBe(1);
    const errors = Object.entries(toldBy(outcome)).map(([name, { error }]) => [name, error?.name]);
    expect(Object.fromEntries(errors)).toEqual({
      [own]: "EndpointAccessError",
      [new URL(byTls).host]: "EndpointUnreachableError",
      [`127.0.0.1:${free}`]: "EndpointUnreachableError",
      [page.name]: "NotJupyterError",
      [older.name]: "EndpointVersionError",
      [blind.name]: "EndpointFilesError",
    });
    expect(toldBy(outcome)[new URL(byTls).host]?.error?.message).toMatch(
      /it speaks no TLS, and was asked by it\.\n.*jupyter:\/\//,
    );
    const listed = JSON.stringify([{ url: server.baseUrl, tokenFile: wrongToken }]);
    expect(
      await Promise.all([
        toldFrom([server.baseUrl, "--token-file", wrongToken]),
        toldFrom([server.baseUrl], { POMONA_ENDPOINT_TOKEN: "hush" }),
        toldFrom(["--conf", `pomona.endpoints=${listed}`]),
      ]),
    ).toEqual([`--token-file ${wrongToken}`, "POMONA_ENDPOINT_TOKEN", `"tokenFile" of the endpoint, ${wrongToken}`]);
    expect(toldBy(outcome)[blind.name]?.error?.message).toContain("a folder that all machines share");
    // What an endpoint says is acknowledged at once: at least its greeting, before it was asked about the folder.
    expect(blind.pongs()).toBeGreaterThan(0);
    expect([older, blind].map(({ requests }) => requests.at(-1))).toEqual([
      "DELETE /api/kernels/one",
      "DELETE /api/kernels/one",
    ]);
  } finally {
    await Promise.all([page, older, blind].map((each) => each.stop()));
  }
});

it("ends its kernels where it is stopped by Ctrl-C, in each of its steps", async () => {
  const silent = createServer(() => {});
  const port = await new Promise<number>((resolve) => {
    silent.listen(0, "127.0.0.1", () => resolve((silent.address() as { port: number }).port));
  });
  const token = at.file("token", server.token);
  try {
    for (const wait of [0, 300, 800]) {
      const args = ["endpoints", "check", server.baseUrl, `http://127.0.0.1:${port}`, "--token-file", token];
      const running = at.start(args);
      const [socket] = (await once(silent, "connection")) as [Socket];
      await new Promise((resolve) => setTimeout(resolve, wait));
      running.process.kill("SIGINT");
      expect(await running.ended).toMatchObject({ code: 130, stdout: "" });
      expect(await kernelsOf(server)).toEqual([]);
      socket.destroy();
    }
  } finally {
    silent.close();
  }
});

it("says what is missing", async () => {
  const check = (...args: string[]) => at.pomona(["endpoints", "check", ...args]);
  expectError(await check(), "UsageError", [/no endpoint/, /--endpoints/], 2);
  expectError(await check("http://a:1?token=hush"), "UsageError", [/no part of a master URL/], 2);
  expectError(await check("--endpoints", at.path("none.json")), "UsageError", [/none\.json.*ENOENT/], 2);
  expectError(await check("a:1", "--token-file", at.path("none")), "EndpointTokenError", [/ENOENT/, /pomona worker/]);
  const spaced = at.file("spaced", "hush hush\n");
  const refused = await check("a:1", "--token-file", spaced);
  expectError(refused, "EndpointTokenError", [/holds no token/]);
  expect(refused.stderr).not.toContain("hush");
  expectError(await check("a:1", "--files", at.path("none")), "PathNotFoundError", [/none: ENOENT/]);
  expectError(await check("a:1", "--bucket", at.path("none")), "UsageError", [/--files is for folders/], 2);
});
