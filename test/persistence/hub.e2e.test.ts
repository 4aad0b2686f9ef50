import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { Session } from "pomona";
import { udf } from "pomona/functions";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { launchBrowser } from "../support/browser";
import { freePorts } from "../support/free-ports";
import { newGate, tickingCell } from "../support/gate";
import { venvProgram } from "../support/jupyter";
import { kernelReady, labCell, runLabCell } from "../support/lab";
import { contentsOf, notebookOf, notebooksEnv } from "../support/s3-notebooks";
import { type S3Server, startS3 } from "../support/s3-server";

const DEPLOYED = join(__dirname, "..", "..", "deploy", "jupyterhub_config.py");
const ADMIN = "admin-token-of-the-test-0123456789";

let s3: S3Server;
let hub: Awaited<ReturnType<typeof startHub>>;

beforeAll(async () => {
  s3 = await startS3({ buckets: ["hub-notebooks"] });
  hub = await startHub(s3);
});
afterAll(async () => {
  await hub?.stop();
  await s3?.stop();
});

/** The hub of `deploy/`, with a service that may do all; on free ports, in a folder of its own. */
async function startHub(s3: S3Server) {
  const folder = mkdtempSync(join(tmpdir(), "pomona-hub-"));
  const [port, api, hubPort] = await freePorts(3);
  const scopes = ["admin:users", "admin:servers", "tokens", "access:servers", "shutdown"];
  writeFileSync(
    join(folder, "config.py"),
    [
      `load_subconfig(${JSON.stringify(DEPLOYED)})`,
      // Such that kernelReady can look into the page.
      'c.Spawner.args = ["--allow-root", "--LabApp.expose_app_in_browser=True"]',
      `c.JupyterHub.services = [{"name": "test", "api_token": "${ADMIN}"}]`,
      `c.JupyterHub.load_roles = [{"name": "test-role", "scopes": ${JSON.stringify(scopes)}, "services": ["test"]}]`,
      `c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:${api}"`,
      `c.JupyterHub.hub_bind_url = "http://127.0.0.1:${hubPort}"`,
    ].join("\n"),
  );
  const {
    PYTHONPATH: _,
    JUPYTER_CONFIG_PATH: __,
    POMONA_S3_USER: ___,
    ...s3Env
  } = notebooksEnv(s3, { bucket: "hub-notebooks" });
  const base = `http://127.0.0.1:${port}/`;
  const env = {
    ...process.env,
    ...s3Env,
    POMONA_HUB_USERS: "ann,bob",
    POMONA_HUB_PASSWORD: "secret",
    POMONA_HUB_URL: base,
    JUPYTER_CONFIG_DIR: join(folder, "config"),
  };
  const options = ["-f", join(folder, "config.py")];
  const child = spawn(venvProgram("jupyterhub"), options, { cwd: folder, env, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const request = async (method: string, path: string, body?: object) => {
    const headers = { authorization: `token ${ADMIN}` };
    const answer = await fetch(`${base}hub/api/${path}`, {
      method,
      headers,
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await answer.text();
    return { status: answer.status, value: text ? JSON.parse(text) : undefined };
  };
  for (let tries = 0; ; tries++) {
    if (
      await request("GET", "").then(
        ({ status }) => status === 200,
        () => false,
      )
    )
      break;
    if (tries > 240 || child.exitCode !== null) throw new Error(`jupyterhub does not answer:\n${log}`);
    await sleep(500);
  }
  return {
    request,
    log: () => log,
    /** Starts a user's server and gives its contents API, by a token of the user. */
    async serverOf(user: string) {
      await request("POST", `users/${user}`);
      await request("POST", `users/${user}/server`);
      for (let tries = 0; (await request("GET", `users/${user}`)).value.servers?.[""]?.ready !== true; tries++) {
        if (tries > 240) throw new Error(`${user}'s server does not start:\n${log}`);
        await sleep(500);
      }
      const token: string = (await request("POST", `users/${user}/tokens`)).value.token;
      return { ...contentsOf({ baseUrl: `${base}user/${user}/`, token }), token, baseUrl: `${base}user/${user}/` };
    },
    /** A token of a user's that may do this much. */
    tokenOf: async (user: string, scopes: readonly string[]): Promise<string> =>
      (await request("POST", `users/${user}/tokens`, { scopes })).value.token,
    async stopServer(user: string) {
      await request("DELETE", `users/${user}/server`);
      await expect
        .poll(async () => Object.keys((await request("GET", `users/${user}`)).value.servers ?? {}))
        .toEqual([]);
    },
    async stop() {
      for (const user of ["ann", "bob"]) await request("DELETE", `users/${user}/server`).catch(() => undefined);
      child.kill("SIGTERM");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

it("gives each of two users their own notebooks in S3 alone, and shows them again on a new server", async () => {
  const [ann, bob] = await Promise.all([hub.serverOf("ann"), hub.serverOf("bob")]);
  expect((await ann.ask("PUT", "plan.ipynb", notebookOf("ann's"))).status).toBe(201);
  expect((await bob.ask("PUT", "plan.ipynb", notebookOf("bob's"))).status).toBe(201);
  await ann.saveText("only-ann.txt", "ann");
  expect([await ann.list(), await bob.list()]).toEqual([["only-ann.txt", "plan.ipynb"], ["plan.ipynb"]]);
  expect(await s3.keys("hub-notebooks")).toEqual(
    ["ann/.s3keep", "ann/only-ann.txt", "ann/plan.ipynb", "bob/.s3keep", "bob/plan.ipynb"].map(
      (key) => `jupyter/${key}`,
    ),
  );
  expect((await bob.get("../ann/only-ann.txt")).status).not.toBe(200);
  const asBob = contentsOf({ baseUrl: ann.baseUrl, token: bob.token });
  expect((await asBob.get("plan.ipynb")).status).toBe(403);

  // A cell whose page is closed has its whole output in S3, and in the page that is opened again.
  const gate = newGate();
  const source = tickingCell(4, gate);
  const cell = { cell_type: "code", id: "one", metadata: {}, source, outputs: [], execution_count: null };
  const kernelspec = { name: "pomona", display_name: "TypeScript (Pomona)", language: "typescript" };
  const content = { nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells: [cell] };
  expect((await ann.ask("PUT", "long.ipynb", { type: "notebook", format: "json", content })).status).toBe(201);
  const browser = await launchBrowser();
  try {
    const shown = async (has: string) => {
      const page = await browser.newPage();
      await page.goto(`${ann.baseUrl}lab/tree/long.ipynb?reset`);
      await page.locator("#username_input, .jp-Notebook").first().waitFor({ timeout: 120_000 });
      if (await page.locator("#username_input").count()) {
        await page.fill("#username_input", "ann");
        await page.fill("#password_input", "secret");
        await page.locator("#login_submit").click();
      }
      await labCell(page, 0).waitFor({ timeout: 120_000 });
      if (has === "tick 2") {
        await kernelReady(page);
        await runLabCell(page, 0);
      }
      await labCell(page, 0).locator(".jp-OutputArea-output", { hasText: has }).waitFor({ timeout: 120_000 });
      return page;
    };
    await (await shown("tick 2")).context().close();
    gate.open();
    const saved = async () => (await s3.request({ key: "hub-notebooks/jupyter/ann/long.ipynb" })).text();
    await expect.poll(saved).toContain("tick 4");
    const page = await shown("tick 4");
    await expect.poll(() => labCell(page, 0).locator(".jp-InputArea-prompt").textContent()).toBe("[1]:");
  } finally {
    await browser.close();
  }

  await hub.stopServer("ann");
  const again = await hub.serverOf("ann");
  expect((await again.get("plan.ipynb")).model.content).toMatchObject({ cells: [{ source: "ann's" }] });
}, 600_000);

describe("a user's server as an endpoint", () => {
  type User = Awaited<ReturnType<typeof hub.serverOf>>;
  /** A session in this process, whose worker is behind a user's server. */
  const connect = (url: string, token: string) =>
    Session.builder()
      .master("jupyter")
      .config({ "pomona.progress": "off", "spark.eventLog.enabled": "false" })
      .config("pomona.endpoints", JSON.stringify([{ url, token, slots: 1 }]))
      .getOrCreate();
  const kernelsOf = async ({ baseUrl }: User, token: string) => {
    const answer = await fetch(`${baseUrl}api/kernels`, { headers: { Authorization: `token ${token}` } });
    return { status: answer.status, kernels: answer.ok ? ((await answer.json()) as { id: string }[]) : [] };
  };
  /** How a kernel's socket is answered. */
  const socketStatus = (address: string, token: string) =>
    new Promise<number>((resolve) => {
      const socket = new WebSocket(address, { headers: { Authorization: `token ${token}` } });
      socket.on("unexpected-response", (_request, { statusCode }) => resolve(statusCode ?? 0));
      socket.on("open", () => resolve(101));
      socket.on("error", () => undefined);
    });

  it("runs the tasks of its own user, by a token of theirs, and of nobody else", async () => {
    const names = ["ann", "bob"];
    const users = await Promise.all(names.map(hub.serverOf));
    const whose = udf((id: number) => `${process.env.JUPYTERHUB_USER} ${id}`, { returns: "string" });
    for (const [i, own] of users.entries()) {
      const other = users[1 - i]!;
      const session = await connect(own.baseUrl, own.token);
      try {
        const rows = await session.range(0, 2).select(whose("id").alias("row")).collect();
        expect(rows.map(({ row }) => row)).toEqual([`${names[i]} 0`, `${names[i]} 1`]);
        const { kernels } = await kernelsOf(own, own.token);
        expect(kernels).toHaveLength(1);
        const address = `${own.baseUrl.replace("http", "ws")}api/kernels/${kernels[0]!.id}/channels`;
        expect((await kernelsOf(own, other.token)).status).toBe(403);
        expect([await socketStatus(address, other.token), await socketStatus(address, own.token)]).toEqual([403, 101]);
      } finally {
        await session.stop();
      }
      expect((await kernelsOf(own, own.token)).kernels).toEqual([]);
      const refused = connect(own.baseUrl, other.token);
      await expect(refused).rejects.toMatchObject({
        name: "EndpointAccessError",
        message: expect.stringMatching(new RegExp(`user/${names[i]}: the token is refused \\(HTTP 403\\)`)),
      });
      await expect(refused.catch(inspect)).resolves.not.toContain(other.token);
    }
  });

  it("takes a token that may do nothing else, and says where there is no server", async () => {
    const ann = await hub.serverOf("ann");
    const session = await connect(ann.baseUrl, await hub.tokenOf("ann", ["access:servers!user=ann"]));
    await session.stop();
    await expect(connect(ann.baseUrl, await hub.tokenOf("ann", ["read:users:activity!user=ann"]))).rejects.toThrow(
      "the token is refused",
    );
    await hub.stopServer("bob");
    for (const name of ["bob", "nobody"]) {
      const none = connect(ann.baseUrl.replace(/ann\/$/, `${name}/`), ann.token);
      await expect(none).rejects.toMatchObject({
        name: "EndpointUnreachableError",
        message: expect.stringContaining("its JupyterHub has no server at this address that runs"),
      });
    }
  });
});
