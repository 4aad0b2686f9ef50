import { execFile, execFileSync } from "node:child_process";
import { chmodSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Session } from "pomona";
import { udf } from "pomona/functions";
import { afterEach, expect, it } from "vitest";
import { VERSION } from "../../src/version";
import { type EndpointClient, endpointClient } from "../support/endpoint-client";
import { newGate } from "../support/gate";
import { venvProgram } from "../support/jupyter";
import { descendants, isAlive } from "../support/processes";
import { expectError, type Running, type StartOptions, until, workplace } from "./command-line";

const PACKAGE = join(__dirname, "..", "..");
const at = workplace();

interface RunningWorker extends Running {
  readonly url: string;
  readonly tokenFile: string;
  readonly client: EndpointClient;
  readonly told: Readonly<Record<string, unknown>>;
  /** What it has written to both outputs. */
  output(): string;
  /** Its processes but itself. */
  pids(): number[];
}

const started: Running[] = [];
// A test that fails leaves none: a server and its kernels end with their command.
afterEach(() => {
  for (const { process } of started.splice(0)) process.kill("SIGKILL");
});

async function startWorker(
  options: readonly string[] = [],
  rest: readonly string[] = [],
  { under = [] }: Pick<StartOptions, "under"> = {},
): Promise<RunningWorker> {
  const args = ["worker", "--ip", "127.0.0.1", "--port", "0", "--allow-root", "--json", ...options, "--", ...rest];
  const worker = at.start(args, { under, env: { POMONA_CACHE_DIR: at.path("cache") } });
  started.push(worker);
  let [stdout, stderr] = ["", ""];
  worker.process.stdout?.on("data", (text: string) => {
    stdout += text;
  });
  worker.process.stderr?.on("data", (text: string) => {
    stderr += text;
  });
  const isOver = () => worker.process.exitCode !== null;
  await until(() => stdout.endsWith("}\n") || isOver(), "the worker");
  if (isOver()) throw new Error(stderr);
  const told = JSON.parse(stdout) as { url: string; tokenFile: string };
  const client = endpointClient(told.url, readFileSync(told.tokenFile, "utf8").trim());
  const pids = () => descendants(worker.process.pid ?? 0);
  return { ...worker, ...told, told, client, output: () => stdout + stderr, pids };
}

it("makes a machine an endpoint: its kernel, a token that is nowhere shown, and what runs is spared", async () => {
  const culling = ["cull_idle_timeout=2", "cull_interval=1"].map((each) => `--MappingKernelManager.${each}`);
  const worker = await startWorker(["--slots", "3"], culling);
  expect(worker.told).toMatchObject({ slots: 3, version: VERSION, tokenFile: at.path("cache", "endpoint-token") });
  expect(statSync(worker.tokenFile).mode & 0o777).toBe(0o600);
  const token = readFileSync(worker.tokenFile, "utf8").trim();
  expect(token).toMatch(/^[0-9a-f]{48}$/);

  expect((await fetch(`${worker.url}/api/kernels`)).status).toBe(403);
  expect(await worker.client.request("GET", "kernelspecs")).toMatchObject({
    body: { default: "pomona", kernelspecs: { pomona: {} } },
  });
  // Each is connected to at once: an idle one without a client is ended after two seconds.
  const line = async () => worker.client.connect(await worker.client.startKernel());
  const [busy, idle] = [await line(), await line()];
  expect(await idle.execute("import { VERSION } from 'pomona'; VERSION")).toBe(`'${VERSION}'`);
  // Without its client, as where a network is lost.
  const gate = newGate();
  void busy.execute(gate.wait).catch(() => {});
  await expect.poll(() => states(worker.client)).toContain("busy");
  for (const each of [busy, idle]) each.cut();
  await expect.poll(() => states(worker.client)).toEqual(["busy"]);
  gate.open();
  await expect.poll(() => states(worker.client)).toEqual([]);

  const commands = [worker.process.pid ?? 0, ...worker.pids()].map((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, "utf8"),
  );
  expect(commands.length).toBeGreaterThan(1);
  expect(`${commands.join("\n")}${worker.output()}`).not.toContain(token);
  worker.process.kill("SIGINT");
  expect(await worker.ended).toMatchObject({ code: 0 });
  at.expectNothing();
});

it("lets what runs come to its end, ends at once when told twice, and leaves nothing when it is killed", async () => {
  const [draining, hurried, killed] = await Promise.all([
    startWorker(["--drain"]),
    startWorker(["--drain"]),
    startWorker(),
  ]);
  const endless = "setTimeout(() => {}, 1e9); for (;;) await new Promise((done) => setTimeout(done, 100));";
  for (const { client } of [hurried, killed])
    void (await client.connect(await client.startKernel())).execute(endless).catch(() => {});
  const line = await draining.client.connect(await draining.client.startKernel());
  const gate = newGate();
  const value = line.execute(`${gate.wait} 6 * 7`);
  for (const { client } of [draining, hurried, killed]) await expect.poll(() => states(client)).toEqual(["busy"]);
  const pids = [draining, hurried, killed].flatMap((each) => each.pids());
  expect(pids.length).toBeGreaterThanOrEqual(6);

  draining.process.kill("SIGTERM");
  hurried.process.kill("SIGTERM");
  killed.process.kill("SIGKILL");
  await until(() => [draining, hurried].every((each) => each.output().includes("Draining")), "that they drain");
  expect((await draining.client.request("POST", "kernels", { name: "pomona" })).status).toBe(503);
  const check = ["endpoints", "check", draining.url, "--token-file", draining.tokenFile, "--json"];
  expect(JSON.parse((await at.pomona(check)).stdout).endpoints[0].error).toEqual({
    name: "EndpointUnavailableError",
    message: expect.stringMatching(/takes nothing new: This worker is about to end.*\(HTTP 503\)\.\n.*other endpoints/),
  });
  gate.open();
  expect(await value).toBe("42");
  expect(await draining.ended).toMatchObject({ code: 0 });
  hurried.process.kill("SIGTERM");
  expect(await hurried.ended).toMatchObject({ code: 130 });
  await until(() => !pids.some(isAlive), "the end of servers and kernels");
  at.expectNothing();
});

it("ends with the npm that started it, which hands a signal to the shell between them alone", async () => {
  at.file("package.json", JSON.stringify({ scripts: { command: "env" } }));
  const worker = await startWorker([], [], { under: ["npm", "run", "--silent", "command", "--"] });
  const pids = worker.pids();
  expect(pids.length).toBeGreaterThanOrEqual(3);
  worker.process.kill("SIGTERM");
  await until(() => !pids.some(isAlive), "the end of the command and its server");
  at.expectNothing();
});

it("finishes the tasks that it has when it drains, which cost nothing, and takes no others", async () => {
  const [draining, other] = await Promise.all([
    startWorker(["--drain", "--slots", "3"]),
    startWorker(["--slots", "1"]),
  ]);
  const [leaves, stays] = [draining.url, other.url].map((url) => new URL(url).host);
  const session = await Session.builder()
    .master(`jupyter://${leaves},${stays}`)
    .config("pomona.progress", "off")
    .config("pomona.endpoints.token", readFileSync(draining.tokenFile, "utf8").trim())
    // What takes long here gets no second attempt on the other machine.
    .config("spark.speculation", false)
    .getOrCreate();
  try {
    // A master URL names none: what each was told with --slots.
    expect(session.workers().map(({ endpoint, slots }) => [endpoint, slots])).toEqual([
      [leaves, 3],
      [stays, 1],
    ]);
    const { path: go, open } = newGate();
    const slow = udf(
      (id: number) => {
        while (!fs.existsSync(go)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
        return id;
      },
      { returns: "long", broadcast: { go }, imports: { fs: "node:fs" } },
    );
    const told: [type: string, worker: string, partition?: number][] = [];
    const running = () => told.filter(([, worker]) => worker.startsWith(leaves ?? "")).length;
    session.onEvent((event) => {
      if (event.type === "taskStarted") told.push(["started", event.worker, event.partition]);
      if (event.type === "taskEnded") told.push([event.status, event.worker, event.partition]);
      if (event.type === "workerLost") told.push(["lost", event.worker]);
    });
    const rows = session.range(0, 6).repartition(6).select(slow("id").alias("id")).collect();
    await until(() => running() === 3, "three tasks on the one that leaves");
    draining.process.kill("SIGTERM");
    await until(() => session.workers()[0]?.state === "draining", "that the session is told");
    // Far longer than a kernel's answer takes: a machine that stands still is one whose tasks run.
    const [server = 0] = draining.pids();
    const kernels = descendants(server);
    expect(kernels).toHaveLength(1);
    for (const pid of kernels) process.kill(pid, "SIGSTOP");
    await sleep(7_000);
    for (const pid of kernels) process.kill(pid, "SIGCONT");
    open();
    expect(await draining.ended).toMatchObject({ code: 0 });
    expect(((await rows) as { id: number }[]).map(({ id }) => id).sort()).toEqual([0, 1, 2, 3, 4, 5]);
    const there = told.filter(([, worker]) => worker.startsWith(leaves ?? ""));
    expect(there.filter(([type]) => type === "started")).toHaveLength(3);
    const all = `${JSON.stringify(told)}\n${session.log().join("\n")}\n${draining.output()}`;
    expect(
      there.filter(([type]) => type === "succeeded"),
      all,
    ).toHaveLength(3);
    expect(told.filter(([type]) => !["started", "succeeded"].includes(type))).toEqual([]);
    expect(told.filter(([type]) => type === "started")).toHaveLength(6);
    expect(session.log().join("\n")).toContain(`Endpoint ${leaves} is about to end`);
    expect(session.log().join("\n")).not.toContain("lost");
    await expect
      .poll(() => session.workers()[0])
      .toMatchObject({ state: "left", problem: "its server ended after its tasks" });
    // Nothing is asked of a server that is about to end, which it would complain of.
    expect(draining.output()).not.toMatch(/\[E |zmq context/);
  } finally {
    await session.stop();
    other.process.kill("SIGTERM");
    await other.ended;
  }
});

it("speaks TLS with sessions that trust its certificate", async () => {
  const script = `
import datetime, ipaddress, sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
key = ec.generate_private_key(ec.SECP256R1())
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
now = datetime.datetime.now(datetime.timezone.utc)
made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
made = made.add_extension(address, critical=False).sign(key, hashes.SHA256())
plain = serialization.NoEncryption()
open(sys.argv[1], "wb").write(made.public_bytes(serialization.Encoding.PEM))
open(sys.argv[2], "wb").write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))`;
  execFileSync(venvProgram("python"), ["-c", script, at.path("cert"), at.path("key")]);
  // A token of one's own, as one that others are to have too.
  const own = at.file("own-token", "ours-for-all\n");
  const worker = await startWorker(["--certfile", "cert", "--keyfile", "key", "--token-file", own]);
  expect(worker.output()).toContain("chmod 600");
  expect(worker.url).toMatch(/^https:/);
  const rows = (env: NodeJS.ProcessEnv) => {
    const program = `
      const { Session } = require(${JSON.stringify(PACKAGE)});
      const { udf } = require(${JSON.stringify(join(PACKAGE, "dist", "functions"))});
      (async () => {
        const session = await Session.builder().master("${worker.url.replace("https", "jupyters")}").getOrCreate();
        const twice = udf((id) => 2 * id, { returns: "long" });
        console.log(JSON.stringify(await session.range(0, 3).select(twice("id").alias("id")).collect()));
        await session.stop();
      })().catch((error) => console.log(String(error)));`;
    const variables = { ...process.env, POMONA_ENDPOINT_TOKEN: "ours-for-all", ...env };
    return promisify(execFile)(process.execPath, ["-e", program], { env: variables });
  };
  const [trusting, strange] = await Promise.all([rows({ NODE_EXTRA_CA_CERTS: at.path("cert") }), rows({})]);
  expect(JSON.parse(trusting.stdout)).toEqual([{ id: 0 }, { id: 2 }, { id: 4 }]);
  expect(worker.output()).not.toMatch(/websocket|\[W/i);
  expect(strange.stdout).toMatch(/EndpointCertificateError.*self-signed certificate\.\n.*NODE_EXTRA_CA_CERTS=FILE/);
  const plain = worker.url.replace("https", "http");
  const mixed = await at.pomona(["endpoints", "check", plain, worker.url, "--token-file", own]);
  expect(mixed.stdout).toMatch(/EndpointUnreachableError: .*it speaks TLS, and was asked without\.\n.*jupyters:\/\//);
  for (const url of [plain, worker.url]) expect(mixed.stdout).toMatch(new RegExp(`^${url} +can't be used`, "m"));
  worker.process.kill("SIGTERM");
  await worker.ended;
});

it("says what it lacks, and starts nothing then", async () => {
  const taken = createServer();
  const port = await new Promise<number>((resolve) => {
    taken.listen(0, "127.0.0.1", () => resolve((taken.address() as { port: number }).port));
  });
  const local = ["worker", "--allow-root", "--ip", "127.0.0.1"];
  expectError(await at.pomona([...local, "--port", String(port)]), "UsageError", [/is taken/, /--port/], 2);
  taken.close();
  const dry = await at.pomona([...local, "--port", "0", "--dry-run", "--json"]);
  expect(JSON.parse(dry.stdout)).toMatchObject({ version: VERSION, jupyterServer: expect.stringMatching(/^\d/) });
  expectError(await at.pomona([...local, "--slots", "2000"]), "UsageError", [/1 to 1024/], 2);
  expectError(await at.pomona([...local, "--certfile", "c"]), "UsageError", [/--keyfile/], 2);
  const tls = ["--certfile", "none", "--keyfile", "none"];
  expectError(await at.pomona([...local, "--port", "0", ...tls]), "PathNotFoundError", [/none/]);
  const empty = at.file("empty", "\n");
  for (const dry of [[], ["--dry-run"]])
    expectError(await at.pomona([...local, ...dry, "--port", "0", "--token-file", empty]), "EndpointTokenError", [
      /no token/,
    ]);
  const wrong = ["--port", "0", "--", "--ServerApp.log_level=nonsense"];
  expectError(await at.pomona([...local, ...wrong]), "WorkerError", [/did not start/, /log_level/]);
  const bare = at.file("bare/bin/python", `#!/bin/sh\nexit 1\n`);
  chmodSync(bare, 0o755);
  const without = (venv: string) => at.pomona([...local, "--dry-run"], { env: { POMONA_VENV: at.path(venv) } });
  expectError(await without("bare"), "JupyterMissingError", [/-m pip install jupyter_server/]);
  expectError(await without("nothing"), "JupyterMissingError", [/POMONA_VENV/]);
});

it("sends what a kernel says at once", () => {
  const seen = execFileSync(venvProgram("python"), ["-c", NO_DELAY], {
    encoding: "utf8",
    stdio: "pipe",
    env: {
      ...process.env,
      PYTHONPATH: join(__dirname, "..", "..", "kernel-ext", "python", "src"),
      JUPYTER_NO_CONFIG: "1",
      HOME: at.path("home"),
    },
  });
  expect(JSON.parse(seen.trim().split("\n").at(-1) ?? "")).toEqual({ without: 0, with: 1 });
});

/** A server in this very process, so that its end of the socket to a client can be looked at. */
const NO_DELAY = `
import asyncio, json, socket, sys
from jupyter_server.serverapp import ServerApp
from jupyter_server.services.kernels.websocket import KernelWebsocketHandler
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect
seen = {}
opened = KernelWebsocketHandler.open
async def look(self, kernel_id):
    await opened(self, kernel_id)
    stream = self.ws_connection.stream
    seen["with" if no_delay else "without"] = int(stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0)
KernelWebsocketHandler.open = look
async def connect():
    kernel = await app.kernel_manager.start_kernel(kernel_name="python3")
    url = f"ws://127.0.0.1:{app.port}/api/kernels/{kernel}/channels"
    line = await websocket_connect(HTTPRequest(url, headers={"Authorization": "token t"}))
    while ("with" if no_delay else "without") not in seen:
        await asyncio.sleep(0.05)
    line.close()
    await app.kernel_manager.shutdown_all(now=True)
async def both():
    global no_delay
    try:
        no_delay = False
        await connect()
        no_delay = True
        from pomona_jupyter.no_delay import _load_jupyter_server_extension
        _load_jupyter_server_extension(app)
        await connect()
    finally:
        app.stop()
app = ServerApp()
app.initialize(["--ServerApp.port=0", "--ServerApp.ip=127.0.0.1", "--allow-root", "--no-browser", "--IdentityProvider.token=t"])
app.io_loop.add_callback(both)
app.start()
print(json.dumps(seen))
`;

/** In the workers, by the functions' imports. */
declare const fs: typeof import("node:fs");

async function states(client: EndpointClient): Promise<string[]> {
  const { body } = await client.request("GET", "kernels");
  return (body as { execution_state: string }[]).map(({ execution_state }) => execution_state);
}
