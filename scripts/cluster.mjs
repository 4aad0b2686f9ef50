#!/usr/bin/env node
// A small cluster on this machine: an S3 server with sample images and three endpoints: `npm run cluster`.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { bucket, sessionSettings, startSampleBucket } from "./sample-bucket.mjs";
import { inRoot } from "./setup/paths.mjs";
import { versitygwProblem } from "./setup/versitygw.mjs";

const help = `npm run cluster [-- --images N --slots N --port P --file FILE]

Starts an S3 server with images in s3://pomona/Test/<class>/<file>, and three endpoints (pomona worker), each on a port of its
own, all for this machine alone; prints what to paste into a notebook. One that ends, or that you kill, is started again. Ctrl-C
ends them all.

  --images N   how many images, evenly over the classes; 0 for none           default 300
  --slots N    how many tasks at once an endpoint runs                        default 1
  --port P     where the S3 server listens, on 127.0.0.1; 0 takes a free one  default 7070
  --file FILE  what a program needs to use it, as JSON, while it runs         default out/cluster.json
  --help       this text

The images are those of Fruits-360 where it lies beside the checkout, else of the folder that POMONA_IMAGES names, else
drawn by the project. The first start builds the server with Go 1.25 or newer, which takes some minutes.`;

const ENDPOINTS = 3;
const cli = inRoot("dist", "cli", "main.js");

/** What is asked for, or undefined where it can't be understood. */
function options() {
  try {
    const { values } = parseArgs({
      options: {
        images: { type: "string", default: "300" },
        slots: { type: "string", default: "1" },
        port: { type: "string", default: "7070" },
        file: { type: "string", default: inRoot("out", "cluster.json") },
        help: { type: "boolean", short: "h" },
      },
    });
    for (const name of ["images", "port"])
      if (!/^\d{1,6}$/.test(values[name])) throw new Error(`--${name} takes a whole number, not "${values[name]}".`);
    if (!/^[1-9]\d{0,2}$/.test(values.slots))
      throw new Error(`--slots takes a whole number from 1, not "${values.slots}".`);
    const { images, slots, port, file } = values;
    return { ...values, images: Number(images), slots: Number(slots), port: Number(port), file: resolve(file) };
  } catch (error) {
    console.error(`${error.message}\nnpm run cluster -- --help explains the options.`);
    return undefined;
  }
}

const wanted = options();
if (wanted === undefined) process.exitCode = 2;
else if (wanted.help) console.log(help);
else process.exitCode = await serve(wanted);

async function serve({ images, slots, port, file }) {
  const problem =
    versitygwProblem() ?? (existsSync(cli) ? undefined : "the project is not built: npm run setup does that.");
  if (problem) {
    console.error(`npm run cluster: ${problem}`);
    return 1;
  }
  if (existsSync(file)) {
    console.error(
      `${file} is there: another cluster has it, or was killed. Remove it, or choose another one by --file.`,
    );
    return 1;
  }
  const folder = mkdtempSync(join(tmpdir(), "pomona-cluster-"));
  const stop = new AbortController();
  const stopped = new Promise((done) => stop.signal.addEventListener("abort", () => done("stopped"), { once: true }));
  // A terminal that is closed says SIGHUP.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stop.abort());
  console.error(`Starting the S3 server and ${ENDPOINTS} endpoints …`);
  const endpoints = Array.from({ length: ENDPOINTS }, () => endpoint({ slots, folder, signal: stop.signal }));
  let s3;
  let isWritten = false;
  const write = () => {
    // Whole or not at all: a program may be reading it.
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.tmp`, `${JSON.stringify(clusterFile(s3.access, endpoints), null, 2)}\n`, { mode: 0o600 });
    renameSync(`${file}.tmp`, file);
    isWritten = true;
  };
  try {
    const starting = endpoints.map(({ start }) => start());
    // They are awaited below, after the server.
    for (const each of starting) each.catch(() => {});
    s3 = await startSampleBucket({ folder: join(folder, "s3"), port, images, stopped });
    await Promise.all(starting);
    if (stop.signal.aborted) return 0;
    write();
    console.log(instructions(s3, endpoints, file));
    for (const each of endpoints) void each.keep(write);
    // Ctrl-C ends the S3 server too, maybe before we have heard of it.
    const how = await Promise.race([stopped, s3.exited.then(() => sleep(1000))]);
    if (how !== "stopped") console.error("The S3 server has ended by itself.");
    return how === "stopped" ? 0 : 1;
  } catch (error) {
    if (stop.signal.aborted) return 0;
    console.error(error.message);
    return 1;
  } finally {
    stop.abort();
    if (isWritten) rmSync(file, { force: true });
    await Promise.all([...endpoints.map(({ ended }) => ended()), s3?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A worker on this machine; one token for all, which the first makes. */
function endpoint({ slots, folder, signal }) {
  let child;
  let exited = Promise.resolve();
  let told;

  async function start() {
    const port = told === undefined ? "0" : new URL(told.url).port;
    const args = ["worker", "--ip", "127.0.0.1", "--port", port, "--slots", String(slots), "--json"];
    const own = ["--token-file", join(folder, "token"), ...(process.getuid?.() === 0 ? ["--allow-root"] : [])];
    // A process group of its own: a terminal's Ctrl-C would be its second one, which ends it before its kernels.
    // And what it leaves when it is killed goes with the cluster.
    const env = { ...process.env, TMPDIR: folder };
    const options = { stdio: ["ignore", "pipe", "pipe"], detached: true, env };
    child = spawn(process.execPath, [cli, ...args, ...own], options);
    const { stdout, stderr } = child;
    let log = "";
    stderr.setEncoding("utf8").on("data", (text) => {
      log = `${log}${text}`.slice(-4000);
    });
    exited = new Promise((done) => child.once("close", done));
    if (signal.aborted) child.kill("SIGTERM");
    const line = await Promise.race([
      new Promise((done) => createInterface({ input: stdout }).once("line", done)),
      exited.then(() => undefined),
    ]);
    if (line === undefined) throw new Error(`An endpoint did not start:\n${log.trim()}`);
    told = JSON.parse(line);
  }

  signal.addEventListener("abort", () => child?.kill("SIGTERM"));
  return {
    start,
    /** What `pomona.endpoints` takes. */
    get settings() {
      return { url: told.url, tokenFile: told.tokenFile, slots: told.slots };
    },
    get pid() {
      return child.pid;
    },
    /** Starts it again where it has ended, at the same address, as a machine that comes back. */
    async keep(started) {
      for (;;) {
        await exited;
        if (signal.aborted) return;
        console.error(`The endpoint ${told.url} has ended; it is started again.`);
        // What it left may hold the port for a moment.
        for (let tries = 0; !signal.aborted; tries++) {
          await sleep(1000);
          const error = await start().then(
            () => undefined,
            (thrown) => thrown,
          );
          if (error === undefined) break;
          if (tries < 30 || signal.aborted) continue;
          console.error(error.message);
          return;
        }
        if (signal.aborted) continue;
        console.error(`The endpoint ${told.url} is back.`);
        started();
      }
    },
    ended: () => exited,
  };
}

/** What a program needs to use the cluster. */
function clusterFile(access, endpoints) {
  return {
    images: `s3://${bucket}/Test`,
    bucket,
    conf: sessionSettings(access),
    endpoints: endpoints.map(({ settings }) => settings),
    // In the order of the endpoints: to kill one, as a machine that fails.
    pids: endpoints.map(({ pid }) => pid),
  };
}

function instructions({ access, stored, drawn }, endpoints, file) {
  const lines = (entries) => entries.map((each) => `    ${each}`).join(",\n");
  const conf = Object.entries(sessionSettings(access)).map(
    ([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`,
  );
  const what = drawn ? ", drawn by the project" : "";
  const images = stored ? `${stored} images in s3://${bucket}/Test/${what}` : `the empty bucket s3://${bucket}`;
  return `The cluster is ready: ${images} (${access.endpoint}), ${ENDPOINTS} endpoints. Ctrl-C ends it.

In the first cell of a notebook:

%%configure -f
{
  "endpoints": [
${lines(endpoints.map(({ settings }) => JSON.stringify(settings)))}
  ],
  "conf": {
${lines(conf)}
  }
}

Or open notebooks/several-machines.ipynb, which reads ${file}. To look at the endpoints:

npx pomona endpoints check ${endpoints.map(({ settings }) => settings.url).join(" ")} --token-file ${endpoints[0].settings.tokenFile}`;
}
