// Reads damaged Parquet files in this process, by the relational engine and by the workers' reader, and tells what came of
// it: node test/engine/damaged-parquet.mjs SEED COUNT. That it ends with code 0 is the test.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL("../..", import.meta.url));
const { Session } = require(join(root, "dist", "index.js"));
const { PomonaError } = require(join(root, "dist", "errors.js"));
const { readParquetBatches } = require(join(root, "dist", "parquet", "index.js"));
const storages = require(join(root, "dist", "storage", "index.js")).storagesFrom();

const [seed = "1", count = "200"] = process.argv.slice(2);
const files = JSON.parse(readFileSync(join(root, "test", "fixtures", "parquet", "files.json"), "utf8"));
const names = Object.keys(files).filter((name) => !/encrypted|infinity/.test(name));

let state = Number(seed);
/** A number from 0 to before `n`. */
function random(n) {
  state = (state * 48271) % 2147483647;
  return state % n;
}

/** Cut short, bytes overwritten anywhere, in the pages or in the footer, or a stretch of zeros. */
function damaged(bytes) {
  const footer = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8);
  switch (random(5)) {
    case 0:
      return bytes.subarray(0, random(bytes.length));
    case 1:
      for (let i = 0; i <= random(8); i++) bytes[4 + random(Math.max(1, footer - 4))] = random(256);
      return bytes;
    case 2:
      for (let i = 0; i <= random(4); i++) bytes[footer + random(bytes.length - 8 - footer)] = random(256);
      return bytes;
    case 3:
      bytes[random(bytes.length)] ^= 1 << random(8);
      return bytes;
    default: {
      const start = random(bytes.length);
      return bytes.fill(random(2) * 255, start, Math.min(bytes.length, start + 1 + random(64)));
    }
  }
}

const folder = mkdtempSync(join(tmpdir(), "damaged-"));
const session = await Session.builder().master("local[1]").config("pomona.progress", "off").getOrCreate();
const told = { read: 0, refused: 0, unnamed: [] };

async function attempt(what, work) {
  try {
    await work();
    told.read++;
  } catch (error) {
    if (error instanceof PomonaError && error.message !== "") told.refused++;
    else told.unnamed.push(`${what}: ${error?.stack ?? error}`);
  }
}

for (let i = 0; i < Number(count); i++) {
  const name = names[random(names.length)];
  const path = join(folder, `${i}.parquet`);
  const before = state;
  writeFileSync(path, damaged(Buffer.from(files[name], "base64")));
  const what = `${i} ${name} from ${before}`;
  if (process.env.DAMAGED_TRACE) writeFileSync(process.env.DAMAGED_TRACE, `${what} relational`);
  await attempt(`${what}, relational`, async () => {
    await session.read.parquet(path).collect();
  });
  if (process.env.DAMAGED_TRACE) writeFileSync(process.env.DAMAGED_TRACE, `${what} worker`);
  await attempt(`${what}, worker`, async () => {
    for await (const batch of readParquetBatches(storages.at(path))) batch.toArray();
  });
  rmSync(path, { force: true });
}
// Whatever the files did, the session is of use.
const rows = await session.createDataFrame([{ n: 1 }]).collect();
if (rows.length !== 1) throw new Error("The session is not whole any more.");
await session.stop();
rmSync(folder, { recursive: true, force: true });
console.log(JSON.stringify(told));
