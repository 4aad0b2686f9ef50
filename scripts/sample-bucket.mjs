// A local S3 server with a bucket of sample images, for `npm run s3` and `npm run cluster`.
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { region, signedFetch, startS3Server } from "./s3-server.mjs";
import { inRoot } from "./setup/paths.mjs";

export const bucket = "pomona";
/** Known to all: the server is reached from this machine alone. */
const keys = { accessKey: "POMONALOCAL", secretKey: "pomona-local-secret" };

/**
 * Starts the server with its bucket, and `images` images in it as Test/<class>/<file>.
 * @param {{ folder: string, port: number, images: number, stopped: Promise<unknown> }} options `folder` keeps the objects; no image is stored after `stopped`
 * @returns {Promise<{ access: object, stored: number, drawn: boolean, exited: Promise<void>, stop: () => Promise<void> }>}
 */
export async function startSampleBucket({ folder, port, images, stopped }) {
  const server = await startS3Server("versitygw", { folder, port, ...keys }).catch((error) => {
    throw error.code === "EADDRINUSE" ? new Error(`Port ${port} is taken: choose another one by --port.`) : error;
  });
  try {
    const access = { endpoint: server.endpoint, ...keys };
    await makeBucket(access);
    const { stored, drawn } = await storeImages(access, images, folder, stopped);
    return { access, stored, drawn, exited: server.exited, stop: server.stop };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** The settings of a session that reaches the server. */
export function sessionSettings({ endpoint, accessKey, secretKey }) {
  const settings = {
    endpoint,
    "endpoint.region": region,
    "path.style.access": "true",
    "access.key": accessKey,
    "secret.key": secretKey,
  };
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [`spark.hadoop.fs.s3a.${name}`, value]));
}

async function makeBucket(access) {
  const answer = await signedFetch(access, { method: "PUT", key: bucket });
  // Its own bucket of an earlier start is there already.
  if (!answer.ok && answer.status !== 409) throw new Error(`No bucket: ${answer.status} ${await answer.text()}`);
}

/** Puts the images that aren't there yet. Returns how many of them there are, and whether the project drew them. */
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
  return { stored: files.length, drawn: drawn !== undefined };
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
