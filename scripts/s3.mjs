#!/usr/bin/env node
// A local S3 server with a bucket of sample images: `npm run s3`.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { region, signedFetch, startS3Server } from "./s3-server.mjs";
import { inRoot } from "./setup/paths.mjs";
import { versitygwProblem } from "./setup/versitygw.mjs";

const help = `npm run s3 [-- --images N --port P --data DIR]

Starts an S3 server (versitygw) on this machine, for this machine alone, with a bucket "pomona" and images in
s3://pomona/Test/<class>/<file>; prints what to paste into a shell and into a notebook. Ctrl-C ends it.

  --images N   how many images, evenly over the classes; 0 for none           default 300
  --port P     where it listens, on 127.0.0.1                                 default 7070
  --data DIR   keeps what is written in DIR; else it is gone with the server
  --help       this text

The images are those of Fruits-360 where it lies beside the checkout, else of the folder that POMONA_IMAGES names, else
drawn by the project. The first start builds the server with Go 1.25 or newer, which takes some minutes.`;

const bucket = "pomona";
/** Known to all: the server is reached from this machine alone. */
const keys = { accessKey: "POMONALOCAL", secretKey: "pomona-local-secret" };

/** What is asked for, or undefined where it can't be understood. */
function options() {
  try {
    const { values } = parseArgs({
      options: {
        images: { type: "string", default: "300" },
        port: { type: "string", default: "7070" },
        data: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    for (const name of ["images", "port"])
      if (!/^\d{1,6}$/.test(values[name])) throw new Error(`--${name} takes a whole number, not "${values[name]}".`);
    return { ...values, images: Number(values.images), port: Number(values.port) };
  } catch (error) {
    console.error(`${error.message}\nnpm run s3 -- --help explains the options.`);
    return undefined;
  }
}

const wanted = options();
if (wanted === undefined) process.exitCode = 2;
else if (wanted.help) console.log(help);
else process.exitCode = await serve(wanted);

async function serve({ images, port, data }) {
  const problem = versitygwProblem();
  if (problem) {
    console.error(`npm run s3: ${problem}`);
    return 1;
  }
  const folder = data === undefined ? mkdtempSync(join(tmpdir(), "pomona-s3-")) : resolve(data);
  const stopped = new Promise((done) => {
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => done("stopped"));
  });
  let server;
  try {
    server = await startS3Server("versitygw", { folder, port, ...keys });
    const access = { endpoint: server.endpoint, ...keys };
    await makeBucket(access);
    const stored = await storeImages(access, images, folder, stopped);
    console.log(instructions(access, stored, data === undefined ? undefined : folder));
    // Ctrl-C ends the server too, maybe before we have heard of it.
    const how = await Promise.race([stopped, server.exited.then(() => sleep(1000))]);
    if (how !== "stopped") console.error("The server has ended by itself.");
    return how === "stopped" ? 0 : 1;
  } catch (error) {
    const isTaken = error.code === "EADDRINUSE";
    console.error(isTaken ? `Port ${port} is taken: choose another one by --port.` : error.message);
    return 1;
  } finally {
    await server?.stop();
    if (data === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

async function makeBucket(access) {
  const answer = await signedFetch(access, { method: "PUT", key: bucket });
  // Its own bucket of an earlier start is there already.
  if (!answer.ok && answer.status !== 409) throw new Error(`No bucket: ${answer.status} ${await answer.text()}`);
}

/** Puts the images that aren't there yet. Returns how many of them there are. */
async function storeImages(access, count, folder, stopped) {
  const { files, drawn } = await imagesOf(count, folder);
  const waiting = files.values();
  let isStopped = false;
  stopped.then(() => {
    isStopped = true;
  });
  const lane = async () => {
    for (const { path, key } of waiting) {
      if (isStopped) return;
      const there = await signedFetch(access, { method: "HEAD", key: `${bucket}/${key}` });
      if (there.ok) continue;
      const body = readFileSync(path);
      const headers = { "content-type": "image/jpeg" };
      const answer = await signedFetch(access, { method: "PUT", key: `${bucket}/${key}`, headers, body });
      if (!answer.ok) throw new Error(`${key} was not stored: ${answer.status} ${await answer.text()}`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
  if (drawn) rmSync(drawn, { recursive: true, force: true });
  return files.length;
}

/** `count` images, evenly over the classes, and the keys that they get. */
async function imagesOf(count, folder) {
  if (count === 0) return { files: [] };
  const beside = [inRoot("..", "shared", "data", "fruits-360"), process.env.POMONA_IMAGES];
  let source = beside.find((path) => path && existsSync(path));
  let drawn;
  if (source === undefined) {
    const script = inRoot("dist", "image", "synthetic.js");
    if (!existsSync(script))
      throw new Error("The project draws the images, and is not built: npm run setup does that.");
    const { SYNTHETIC_CLASSES, writeSyntheticFruits } = createRequire(import.meta.url)(script);
    source = drawn = join(folder, "drawn");
    await writeSyntheticFruits(drawn, { perClass: Math.ceil(count / SYNTHETIC_CLASSES.length) });
  }
  const classes = readdirSync(source, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ name, images: imageNames(join(source, name)) }));
  const files = [];
  // Round by round one of each class, as far as the classes have so many.
  for (let i = 0; files.length < count && classes.some(({ images }) => i < images.length); i++) {
    for (const { name, images } of classes) {
      if (i < images.length && files.length < count)
        files.push({ path: join(source, name, images[i]), key: `Test/${name}/${images[i]}` });
    }
  }
  return { files, drawn };
}

function imageNames(folder) {
  const names = readdirSync(folder).filter((name) => /\.(jpe?g|png)$/i.test(name));
  return names.sort();
}

function instructions({ endpoint, accessKey, secretKey }, stored, kept) {
  const settings = {
    endpoint,
    "endpoint.region": region,
    "path.style.access": "true",
    "access.key": accessKey,
    "secret.key": secretKey,
  };
  const conf = Object.entries(settings).map(
    ([name, value]) => `  "spark.hadoop.fs.s3a.${name}": ${JSON.stringify(value)}`,
  );
  return `S3 listens at ${endpoint}: bucket "${bucket}"${stored ? `, ${stored} images in s3://${bucket}/Test/` : ""}${kept ? `, kept in ${kept}` : ""}. Ctrl-C ends it.

In a shell (for pomona, aws, pandas, DuckDB):

export AWS_ENDPOINT_URL_S3=${endpoint} AWS_REGION=${region}
export AWS_ACCESS_KEY_ID=${accessKey} AWS_SECRET_ACCESS_KEY=${secretKey}
npx pomona featurize s3://${bucket}/Test s3://${bucket}/Results

In the first cell of a notebook:

%%configure -f
{ "conf": {
${conf.join(",\n")}
} }`;
}
