// S3 servers on this machine, and signed requests to them, for `npm run s3`, tests and benchmarks. No SDK: what is tested isn't used to test.
import { spawn } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { installS3proxy } from "./setup/s3proxy.mjs";
import { installVersitygw } from "./setup/versitygw.mjs";

export const region = "us-east-1";

/** How each server is started over a folder: its program, arguments, and an address that answers once it is ready. */
const SERVERS = {
  async versitygw({ folder, port, accessKey, secretKey }) {
    // Absolute, since it refuses a relative root; accounts in a folder, since without one an unknown key is a 404.
    const [root, accounts, versions] = ["root", "accounts", "versions"].map((name) => join(folder, name));
    for (const path of [root, accounts, versions]) mkdirSync(path, { recursive: true });
    const keys = ["--access", accessKey, "--secret", secretKey, "--region", region];
    const options = ["--quiet", ...keys, "--iam-dir", accounts, "--health", "/health", "--port", `127.0.0.1:${port}`];
    return { command: await installVersitygw(), args: [...options, "posix", "--versioning-dir", versions, root] };
  },
  async s3proxy({ folder, port, accessKey, secretKey }) {
    const root = join(folder, "root");
    mkdirSync(root, { recursive: true });
    const settings = {
      "s3proxy.authorization": "aws-v2-or-v4",
      "s3proxy.endpoint": `http://127.0.0.1:${port}`,
      "s3proxy.identity": accessKey,
      "s3proxy.credential": secretKey,
      "jclouds.provider": "filesystem-nio2",
      "jclouds.filesystem.basedir": root,
    };
    const file = join(folder, "s3proxy.conf");
    writeFileSync(
      file,
      Object.entries(settings)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(""),
      { mode: 0o600 },
    );
    return { command: "java", args: ["-Xmx512m", "-jar", await installS3proxy(), "--properties", file] };
  },
};

/**
 * Starts a server and waits until it answers.
 * @param {"versitygw" | "s3proxy"} server
 * @param {{ folder: string, port?: number, accessKey: string, secretKey: string }} options `folder` keeps the objects; `port` 0 takes a free one
 * @returns {Promise<{ endpoint: string, pid: number, exited: Promise<void>, stop: () => Promise<void>, kill: () => Promise<void> }>}
 */
export async function startS3Server(server, { folder, port = 0, accessKey, secretKey }) {
  // Where it is taken, whoever has it would answer in place of this server.
  const listening = await freePort(port);
  const { command, args } = await SERVERS[server]({ folder: resolve(folder), port: listening, accessKey, secretKey });
  // versitygw ends each connection after its answer unless it is told to keep it, as S3 does.
  const env = { ...process.env, VGW_KEEP_ALIVE: "true" };
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env });
  let log = "";
  const note = (text) => {
    log = `${log}${text}`.slice(-4000);
  };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", note);
  const exited = new Promise((done) => {
    child.once("exit", () => done());
    child.once("error", (error) => {
      note(error.message);
      done();
    });
  });
  const end = (signal) => async () => {
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await exited;
    clearTimeout(timer);
  };
  const endpoint = `http://127.0.0.1:${listening}`;
  const hasEnded = exited.then(() => "ended");
  for (let tries = 0; tries < 1200; tries++) {
    // Any answer is one: without keys it is a refusal.
    if (
      await fetch(endpoint).then(
        () => true,
        () => false,
      )
    ) {
      return { endpoint, pid: child.pid, exited, stop: end("SIGTERM"), kill: end("SIGKILL") };
    }
    if ((await Promise.race([sleep(50), hasEnded])) === "ended") break;
  }
  await end("SIGKILL")();
  throw new Error(`${server} did not answer at ${endpoint}.\n${log}`);
}

/** The port, or any where it is 0, if nobody listens on it. @throws Error with the code EADDRINUSE */
function freePort(port) {
  return new Promise((done, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const { port: free } = server.address();
      server.close(() => done(free));
    });
  });
}

const sha256 = (data) => createHash("sha256").update(data).digest("hex");
const hmac = (key, data) => createHmac("sha256", key).update(data).digest();
const encoded = (text) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * A request signed by AWS Signature Version 4.
 * @param {{ endpoint: string, accessKey: string, secretKey: string }} server
 * @param {{ method?: string, key?: string, query?: Record<string, string>, headers?: Record<string, string>, body?: string | Uint8Array }} request
 *   `key` begins with the bucket: `bucket/folder/name`
 * @returns {Promise<Response>} the answer, whatever it says
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signedFetch(
  { endpoint, accessKey, secretKey },
  { method = "GET", key = "", query = {}, headers = {}, body = "" },
) {
  const path = `/${key.split("/").map(encoded).join("/")}`;
  const parameters = Object.keys(query)
    .sort()
    .map((name) => `${encoded(name)}=${encoded(query[name])}`)
    .join("&");
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
  const given = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const signed = { ...given, host: new URL(endpoint).host, "x-amz-content-sha256": sha256(body), "x-amz-date": time };
  const names = Object.keys(signed).sort();
  const lines = names.map((name) => `${name}:${signed[name]}\n`).join("");
  const request = [method, path, parameters, lines, names.join(";"), signed["x-amz-content-sha256"]].join("\n");
  const text = ["AWS4-HMAC-SHA256", time, scope, sha256(request)].join("\n");
  const signingKey = scope.split("/").reduce(hmac, `AWS4${secretKey}`);
  const signature = createHmac("sha256", signingKey).update(text).digest("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKey}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  // The host is what fetch says by itself.
  const { host: _, ...sent } = signed;
  const url = `${endpoint}${path}${parameters && `?${parameters}`}`;
  const hasBody = ["PUT", "POST", "PATCH"].includes(method);
  return fetch(url, { method, headers: { ...sent, authorization }, ...(hasBody && { body }) });
}
