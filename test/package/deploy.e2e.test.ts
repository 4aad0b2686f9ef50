import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { Session } from "pomona";
import { col, udf } from "pomona/functions";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { freePorts } from "../support/free-ports";
import { venvProgram } from "../support/jupyter";
import { REGISTRY_TIMEOUT, withRegistry } from "../support/npm";
import { type Instruction, isIgnored, parseDockerfile } from "./dockerfile";

/*
 * The steps of deploy/Dockerfile and the commands of deploy/docker-compose.yml, in a clean folder that stands for a container's root:
 * no Docker is needed. What a container's own system or the network gives has a stand-in, named below; all else runs as it is written.
 */

const ROOT = join(__dirname, "..", "..");
const DOCKERFILE = parseDockerfile(readFileSync(join(ROOT, "deploy", "Dockerfile"), "utf8"));
const IGNORED = readFileSync(join(ROOT, ".dockerignore"), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"));
const soon = { timeout: 120_000, interval: 200 };

interface Service {
  readonly build?: { readonly context: string; readonly dockerfile: string; readonly target: string };
  readonly image: string;
  readonly entrypoint?: readonly string[];
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
}

let root: string;
let env: Record<string, string>;
let services: Readonly<Record<string, Service>>;
const children: ChildProcess[] = [];

/** The folders of a container that the files name, in the clean folder. */
const here = (text: string) =>
  text.replaceAll(/(?<![\w.}-])\/(src|package|opt|home|spool|run|data)(?=[/\s"]|$)/g, `${root}/$1`);

/** What stands for a step that needs a container's system, or the network. */
const STAND_INS: readonly (readonly [RegExp, () => void])[] = [
  [/^apt-get /, () => {}],
  // The checkout's, which are those of the same lock file.
  [/npm ci /, () => symlinkSync(join(ROOT, "node_modules"), join(root, "src", "node_modules"))],
  [
    /^install -d -o node -g node (.*)$/,
    () => ["spool", "home/node/notebooks"].map((name) => mkdirSync(join(root, name), { recursive: true })),
  ],
  [/^pip install .*(jupyter_server|-r \S+jupyter\.txt) -c \S+jupyter\.lock\.txt$/, linkJupyter],
];

/** The packages of the checkout's environment, which are installed by the same files. */
function linkJupyter() {
  const site = execFileSync(venvProgram("python"), ["-c", "import site; print(site.getsitepackages()[0])"], {
    encoding: "utf8",
  });
  const [version = ""] = readdirSync(join(root, "opt", "jupyter", "lib"));
  const packages = join(root, "opt", "jupyter", "lib", version, "site-packages");
  // An older one of Python's own, in whose place pip would put the one that is asked for.
  for (const name of readdirSync(packages))
    if (name.startsWith("setuptools")) rmSync(join(packages, name), { recursive: true });
  writeFileSync(join(packages, "checkout.pth"), site);
}

function perform({ name, text, list }: Instruction): void {
  switch (name) {
    case "ENV": {
      const [, variable = "", value = ""] = /^(\w+)=(.*)$/.exec(text) ?? [];
      env[variable] = here(value.replace("$PATH", env.PATH ?? ""));
      return;
    }
    case "COPY":
      copy(text.split(" "));
      return;
    case "RUN":
      run(text);
      return;
    case "WORKDIR":
      mkdirSync(here(text), { recursive: true });
      return;
    case "USER":
      expect(text).toBe("node");
      return;
    case "EXPOSE":
      return;
    case "ENTRYPOINT":
    case "CMD":
      expect(list, text).toBeDefined();
      return;
    default:
      throw new Error(`The test does not know ${name}.`);
  }
}

function run(text: string): void {
  const standIn = STAND_INS.find(([step]) => step.test(text));
  if (standIn) {
    standIn[1]();
    return;
  }
  const options = { cwd: join(root, "src"), encoding: "utf8", timeout: 600_000 } as const;
  const { status, stdout, stderr } = withRegistry((more) =>
    spawnSync("sh", ["-c", here(text)], { ...options, env: { ...env, ...more } }),
  );
  expect(status, `${text}\n${stdout}${stderr}`).toBe(0);
}

function copy(words: readonly string[]): void {
  const [to = "", ...from] = words.filter((word) => !word.startsWith("--")).reverse();
  if (words[0]?.startsWith("--from=")) {
    // All stages have one folder here.
    expect(readdirSync(here(to))).not.toEqual([]);
    return;
  }
  if (to === ".") {
    const isContext = (path: string) => path === ROOT || !isIgnored(relative(ROOT, path), IGNORED);
    cpSync(ROOT, join(root, "src"), { recursive: true, filter: isContext });
    return;
  }
  for (const source of from) {
    // As Docker does: from what is left of the folder, a folder's content without the folder.
    const path = join(root, "src", source);
    const isFolder = statSync(path).isDirectory();
    cpSync(path, to.endsWith("/") && !isFolder ? join(here(to), basename(path)) : here(to), { recursive: true });
  }
}

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "pomona-deploy-"));
  const home = join(root, "home", "node");
  mkdirSync(home, { recursive: true });
  const npm = (key: string) => execFileSync("npm", ["config", "get", key], { encoding: "utf8" }).trim();
  env = { PATH: process.env.PATH ?? "", HOME: home };
  // How npm reaches its registry here, and what it has fetched before.
  Object.assign(env, {
    npm_config_cache: npm("cache"),
    npm_config_userconfig: npm("userconfig"),
    npm_config_prefer_offline: "true",
  });
  const yaml = "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))";
  const input = readFileSync(join(ROOT, "deploy", "docker-compose.yml"), "utf8").replaceAll(
    /\$\{(\w+)[^}]*\}/g,
    "the-$1",
  );
  services = JSON.parse(execFileSync(venvProgram("python"), ["-c", yaml], { input, encoding: "utf8" })).services;
});
afterAll(() => {
  for (const child of children) if (child.exitCode === null) child.kill("SIGKILL");
  rmSync(root, { recursive: true, force: true });
});

it(
  "has steps that make the images' content from a clean copy",
  () => {
    for (const name of ["package", "base", "worker", "user"]) {
      const stage = DOCKERFILE.get(name);
      expect(stage?.from).toBe(name === "package" || name === "base" ? "node:22-bookworm-slim" : "base");
      for (const instruction of stage?.instructions ?? []) perform(instruction);
    }
    expect(existsSync(join(root, "src", "test"))).toBe(false);
    const spec = readFileSync(join(root, "opt/jupyter/share/jupyter/kernels/pomona/kernel.json"), "utf8");
    expect((JSON.parse(spec) as { argv: string[] }).argv.join(" ")).toContain(
      join(root, "opt/pomona/node_modules/pomona/kernel-ext"),
    );
    expect(readdirSync(join(root, "home/node/notebooks"))).toContain("workflow.ipynb");
    expect(readdirSync(env.JUPYTER_CONFIG_PATH ?? "")).toContain("labconfig");
  },
  REGISTRY_TIMEOUT,
);

/** Starts a service by its image's entry point and its command, with options more and with other ones in place of some. */
function start(name: string, more: readonly string[], others: Readonly<Record<string, string>> = {}) {
  const service = services[name] as Service;
  const entry =
    service.entrypoint ??
    DOCKERFILE.get(service.build?.target ?? "")?.instructions.find((each) => each.name === "ENTRYPOINT")?.list ??
    [];
  // A container's first process, which hands signals on and waits for orphans.
  const program = [...(entry[0] === "tini" ? entry.slice(2) : entry), ...service.command].map(
    (word) => others[word] ?? here(word),
  );
  const own = Object.fromEntries(Object.entries(service.environment).map(([key, value]) => [key, String(value)]));
  const [command = "", ...args] = [...program, ...more];
  const child = spawn(command, args, { cwd: join(root, "home", "node"), env: { ...env, ...own } });
  children.push(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (text: Buffer) => {
      output += text.toString();
    });
  }
  return { child, output: () => output };
}

const asRoot = process.getuid?.() === 0 ? ["--allow-root"] : [];

it("starts workers by the compose file's commands, and a session's tasks run there", async () => {
  expect(services["worker-2"]).toEqual(services["worker-1"]);
  mkdirSync(join(root, "run", "secrets"), { recursive: true });
  writeFileSync(join(root, "run", "secrets", "endpoint-token"), "the-POMONA_ENDPOINT_TOKEN\n", { mode: 0o600 });
  const { child, output } = start("worker-1", ["--ip", "127.0.0.1", "--port", "0", "--json", ...asRoot]);
  await vi.waitFor(() => expect(output()).toContain('"url"'), soon);
  const { url } = JSON.parse(
    output()
      .split("\n")
      .find((line) => line.startsWith("{")) ?? "",
  ) as { url: string };
  const lab = services.lab?.environment ?? {};
  const session = await Session.builder()
    .master("jupyter")
    .config("pomona.progress", "off")
    .config("pomona.endpoints", JSON.stringify([{ url, token: lab.POMONA_ENDPOINT_TOKEN }]))
    .config("pomona.spool.dir", join(root, "spool"))
    .getOrCreate();
  try {
    const where = udf((_id: bigint) => process.cwd(), { returns: "string" });
    const rows = await session
      .range(4)
      .repartition(2)
      .select(col("id"), where(col("id")).alias("where"))
      .collect();
    expect(rows.map((row) => Number(row.id)).sort()).toEqual([0, 1, 2, 3]);
    expect(new Set(rows.map((row) => row.where))).toEqual(new Set([join(root, "home", "node")]));
  } finally {
    await session.stop();
  }
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
}, 600_000);

it("starts the S3 server with its bucket, by the keys that the others have", async () => {
  const { installVersitygw } = (await import("../../scripts/setup/versitygw.mjs" as string)) as {
    installVersitygw(): Promise<string>;
  };
  const [port] = await freePorts(1);
  const { image, entrypoint, command, environment } = services.s3 as Service;
  const { versitygwVersion } = (await import("../../scripts/setup/versitygw.mjs" as string)) as {
    versitygwVersion: string;
  };
  expect([image, entrypoint]).toEqual([`versity/versitygw:${versitygwVersion}`, ["sh", "-c"]]);
  const own = { ...env, PATH: `${dirname(await installVersitygw())}:${env.PATH}` };
  const text = here(command[0] ?? "").replace(":7070", `127.0.0.1:${port}`);
  const child = spawn("sh", ["-c", text], { env: { ...own, ...environment }, stdio: "ignore" });
  children.push(child);
  const { signedFetch } = (await import("../../scripts/s3-server.mjs" as string)) as {
    signedFetch(access: object, request: object): Promise<Response>;
  };
  const { AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: secretKey } = services["worker-1"]?.environment ?? {};
  const access = { endpoint: `http://127.0.0.1:${port}`, accessKey, secretKey };
  await vi.waitFor(async () => expect((await signedFetch(access, { key: "pomona" })).status).toBe(200), soon);
  const put = await signedFetch(access, { method: "PUT", key: "pomona/a.txt", body: "here" });
  expect(put.status).toBe(200);
  child.kill("SIGTERM");
  await once(child, "exit");
}, 600_000);

it("starts JupyterLab with the kernel, by the user image", async () => {
  const [port] = await freePorts(1);
  const { child, output } = start("lab", asRoot, { "8888": String(port), "--ip=0.0.0.0": "--ip=127.0.0.1" });
  const address = /http:\/\/127\.0\.0\.1:\d+\/lab\S*\?token=(\w+)/;
  await vi.waitFor(() => expect(output()).toMatch(address), soon);
  const token = address.exec(output())?.[1];
  const answer = await vi.waitFor(() => fetch(`http://127.0.0.1:${port}/api/kernelspecs?token=${token}`), soon);
  expect(Object.keys(((await answer.json()) as { kernelspecs: object }).kernelspecs)).toContain("pomona");
  child.kill("SIGTERM");
  await once(child, "exit");
}, 600_000);
