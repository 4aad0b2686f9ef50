#!/usr/bin/env node
// Memory while a folder of many files is listed: what is held must not grow with how many there are.
//   node --expose-gc bench/listing.mjs [files...]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const { storagesFrom } = createRequire(import.meta.url)("../dist/storage/index.js");
const counts = process.argv.slice(2).map(Number);

for (const files of counts.length > 0 ? counts : [10_000, 100_000]) {
  const folder = mkdtempSync(join(tmpdir(), "pomona-listing-"));
  try {
    for (let i = 0; i < files; i++) {
      if (i % 10_000 === 0) mkdirSync(join(folder, `${i / 10_000}`));
      writeFileSync(join(folder, `${Math.floor(i / 10_000)}`, `image-${i}.jpg`), "");
    }
    await measure(folder, files);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(folder, files) {
  const { storage, url } = storagesFrom().at(folder);
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const started = performance.now();
  let [found, most] = [0, 0];
  for await (const _file of storage.list(url)) {
    found++;
    if (found % 5000 !== 0) continue;
    globalThis.gc?.();
    most = Math.max(most, process.memoryUsage().heapUsed - before);
  }
  const seconds = (performance.now() - started) / 1000;
  if (found !== files) throw new Error(`${found} of ${files} files were found.`);
  console.log(`${files} files: ${(most / 1e6).toFixed(2)} MB held at most, ${seconds.toFixed(2)} s`);
}
