#!/usr/bin/env node
// A local S3 server with a bucket of sample images: `npm run s3`.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { region } from "./s3-server.mjs";
import { bucket, sessionSettings, startSampleBucket } from "./sample-bucket.mjs";
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
    server = await startSampleBucket({ folder, port, images, stopped });
    console.log(instructions(server, data === undefined ? undefined : folder));
    // Ctrl-C ends the server too, maybe before we have heard of it.
    const how = await Promise.race([stopped, server.exited.then(() => sleep(1000))]);
    if (how !== "stopped") console.error("The server has ended by itself.");
    return how === "stopped" ? 0 : 1;
  } catch (error) {
    console.error(error.message);
    return 1;
  } finally {
    await server?.stop();
    if (data === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

function instructions({ access, stored, drawn }, kept) {
  const { endpoint, accessKey, secretKey } = access;
  const conf = Object.entries(sessionSettings(access)).map(
    ([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`,
  );
  return `S3 listens at ${endpoint}: bucket "${bucket}"${stored ? `, ${stored} images in s3://${bucket}/Test/${drawn ? ", drawn by the project" : ""}` : ""}${kept ? `, kept in ${kept}` : ""}. Ctrl-C ends it.

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
