import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { buildSync } from "esbuild";
import type { SourceFunction } from "../../src/data/batch-function";
import { sha256Of } from "../../src/data/shipped-file";
import type { DataType, StructType } from "../../src/data/types";
import type { Column } from "../../src/frame/column";
import { prepareSourceFunction } from "../../src/user-functions";

/** A column of a batch, for a worker to make a vector of. */
export interface TestColumn {
  readonly name: string;
  readonly type: DataType;
  readonly values: readonly unknown[];
}

/** What came of it, with what was logged. */
export interface Outcome {
  readonly values?: unknown[];
  readonly columns?: Record<string, unknown[]>;
  readonly types?: Record<string, string>;
  /** Errors given to `rowError`, by row. */
  readonly rowErrors: Record<number, { name: string; message: string }>;
  readonly error?: { name: string; message: string; stack: string; retryable: boolean };
  readonly log: string[];
}

/** A real worker thread that runs user functions with the product's own worker code. */
export interface UdfWorker {
  column(column: Column, input: readonly TestColumn[], keepFailed?: boolean): Promise<Outcome>;
  table(fn: SourceFunction, schema: StructType, input: readonly TestColumn[]): Promise<Outcome>;
  close(): Promise<unknown>;
}

export function startUdfWorker(): UdfWorker {
  const folder = mkdtempSync(join(tmpdir(), "pomona-udf-worker-"));
  const file = join(folder, "worker.cjs");
  buildSync({
    stdin: { contents: WORKER, resolveDir: resolve(__dirname), loader: "ts" },
    bundle: true,
    platform: "node",
    format: "cjs",
    outfile: file,
  });
  const worker = new Worker(file);
  const ask = (request: object): Promise<Outcome> =>
    new Promise((done, fail) => {
      worker.once("message", (outcome: Outcome) => {
        worker.off("error", fail);
        done(outcome);
      });
      worker.once("error", fail);
      worker.postMessage(request);
    });
  const prepare = (spec: SourceFunction) =>
    prepareSourceFunction(spec, async (bytes) => {
      const sha256 = sha256Of(bytes);
      const path = join(folder, sha256);
      writeFileSync(path, bytes);
      return { url: pathToFileURL(path).href, sha256, bytes: bytes.length };
    });
  return {
    async column({ expression }, input, keepFailed = false) {
      if (expression.kind !== "batch" || expression.fn.kind !== "source") throw new Error(expression.kind);
      const spec = await prepare(expression.fn);
      return ask({ spec, input, returns: expression.returns, keepFailed });
    },
    async table(fn, schema, input) {
      return ask({ spec: await prepare(fn), input, schema });
    },
    close: () => worker.terminate(),
  };
}

const WORKER = `
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parentPort } from "node:worker_threads";
import { sparkType } from "../../src/data/arrow";
import { batchFromColumns, valuesFromVector, vectorFromValues } from "../../src/data/vectors";
import { simpleString } from "../../src/data/types";
import { PLACE } from "../support/place";
import { sourceColumnFunction, sourceTableFunction } from "../../src/worker/user-function";

parentPort.on("message", async ({ spec, input, returns, schema, keepFailed }) => {
  const log = [];
  const rowErrors = {};
  const context = {
    log: (level, message) => log.push(level + ": " + message),
    readFile: async (url) => readFileSync(fileURLToPath(url)),
    fetch: async ({ url }) => readFileSync(fileURLToPath(url)),
    fetchFile: async ({ url }) => fileURLToPath(url),
    signal: new AbortController().signal,
  };
  const rowError = (row, error) => {
    rowErrors[row] = { name: error.name, message: error.message };
    if (!keepFailed) throw error;
  };
  const columns = input.map(({ name, type, values }) => ({ name, vector: vectorFromValues(values, type) }));
  try {
    if (schema) {
      const fn = await sourceTableFunction(spec, schema, context);
      const batch = await fn.apply(batchFromColumns(columns), PLACE);
      const out = {}, types = {};
      for (const field of batch ? batch.schema.fields : []) {
        out[field.name] = valuesFromVector(batch.getChild(field.name), sparkType(field.type));
        types[field.name] = simpleString(sparkType(field.type));
      }
      parentPort.postMessage({ columns: out, types, rowErrors, log });
    } else {
      const fn = await sourceColumnFunction(spec, returns, context);
      const vector = await fn.apply(columns.map(({ vector }) => vector), rowError, PLACE);
      parentPort.postMessage({ values: valuesFromVector(vector, returns), rowErrors, log });
    }
  } catch ({ name, message, stack, retryable }) {
    parentPort.postMessage({ error: { name, message, stack, retryable }, rowErrors, log });
  }
});
`;
