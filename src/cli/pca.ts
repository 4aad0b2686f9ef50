import { VectorRowError } from "../data/matrix";
import { TaskFailedError } from "../engine/scheduler/errors";
import { PomonaError } from "../errors";
import type { DataFrame } from "../frame/dataframe";
import { col } from "../frame/functions";
import type { SaveMode } from "../frame/runtime";
import { PCA, StandardScaler } from "../ml";
import type { Storages } from "../storage";
import { mayWrite, PathAlreadyExistsError } from "../storage/commit";
import { ABOUT } from "./abouts";
import { type Command, SHARED_OPTIONS, UsageError, wholeNumber } from "./command";
import { withSession } from "./session-for";

/** Some rows have no vector, such as those of images that could not be decoded. */
export class NullVectorsError extends PomonaError {}

/** `pomona pca SRC DST`: scales vectors to mean 0 and deviation 1, then projects them on their principal components. */
export const pca: Command = {
  name: "pca",
  about: ABOUT.pca,
  positionals: ["SRC", "DST"],
  options: {
    k: { type: "string", value: "K", default: "100", about: "components: a number, or a share of the variance as 0.9" },
    column: { type: "string", value: "NAME", default: "features", about: "the column of vectors" },
    "on-error": {
      type: "string",
      value: "WHAT",
      default: "fail",
      choices: ["fail", "drop"],
      about: "a row without a vector fails the job, or is left out and counted",
    },
    "save-model": { type: "string", value: "DIR", about: "also save scaler and PCA, in DIR/scaler and DIR/pca" },
    ...SHARED_OPTIONS,
  },
  examples: ["pomona pca out/features out/pca --k 100", "pomona pca out/features out/pca --k 0.9 --json"],
  async run(context) {
    const { positionals, options, signal } = context;
    const [src = "", dst = ""] = positionals;
    const k = Number(options.k);
    if (!((Number.isInteger(k) && k >= 1) || (k > 0 && k < 1))) {
      throw new UsageError(`--k must be a whole number from 1 or a share between 0 and 1, not ${options.k}.`);
    }
    const partitions = wholeNumber(options, "partitions");
    const column = String(options.column);
    const mode = options.mode as SaveMode;
    const models = typeof options["save-model"] === "string" ? options["save-model"] : undefined;
    const started = Date.now();
    const done = await withSession(context, async (session) => {
      // Before the work, which takes minutes, rather than after it.
      const { storages } = session.runtime;
      if (!(await mayWrite(storages, dst, mode))) return undefined;
      if (models !== undefined && mode !== "overwrite")
        await refuseExisting(storages, [`${models}/scaler`, `${models}/pca`]);
      const read = session.read.parquet(src);
      const isDropping = options["on-error"] === "drop";
      const droppedRows = isDropping ? await read.filter(col(column).isNull()).count({ signal }) : 0;
      const whole = droppedRows > 0 ? read.filter(col(column).isNotNull()) : read;
      const data: DataFrame = partitions === undefined ? whole : whole.repartition(partitions);
      const scaler = new StandardScaler({ inputCol: column, outputCol: "scaled", withMean: true, withStd: true });
      const scalerModel = await scaler.fit(data, { signal }).catch(async (error: unknown) => {
        if (error instanceof TaskFailedError || error instanceof VectorRowError) {
          await explainNulls(read, column, error, signal);
        }
        throw error;
      });
      const scaled = scalerModel.transform(data);
      const model = await new PCA({ inputCol: "scaled", outputCol: "pca", k }).fit(scaled, { signal });
      const kept = (await data.columns({ signal })).filter((name) => name === "path" || name === "label");
      const reduced = model.transform(scaled).select(...kept, "pca");
      const result = await reduced.write.mode(mode).parquet(dst, { signal });
      if (models !== undefined) {
        const how = { mode: mode === "overwrite" ? "overwrite" : "errorifexists" } as const;
        await scalerModel.save(`${models}/scaler`, how);
        await model.save(`${models}/pca`, how);
      }
      return { result, droppedRows, k: model.k, explainedVariance: [...model.explainedVariance] };
    });
    const seconds = (Date.now() - started) / 1000;
    if (done === undefined) {
      const skipped = JSON.stringify({ path: dst, rows: 0, files: 0, skipped: true });
      context.print(options.json ? skipped : `${dst} holds data already; nothing was written (mode ignore).`);
      return 0;
    }
    const { result, ...more } = done;
    const share = done.explainedVariance.reduce((sum, v) => sum + v, 0);
    if (options.json) {
      context.print(JSON.stringify({ ...result, files: result.files.length, ...more, seconds }));
    } else {
      const dropped = done.droppedRows > 0 ? ` (${done.droppedRows} rows without one left out)` : "";
      context.print(
        `${result.rows} vectors${dropped} in ${seconds.toFixed(1)} s: ${done.k} components hold ` +
          `${(share * 100).toFixed(1)} % of the variance; ${result.files.length} files in ${dst}`,
      );
      if (done.k >= result.rows && result.rows > 1) {
        context.note(`Note: ${result.rows} vectors span ${result.rows - 1} components at most; the others are noise.`);
      }
    }
    return 0;
  },
};

async function refuseExisting(storages: Storages, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const { storage, url } = storages.at(path);
    if ((await storage.stat(url)) === undefined) continue;
    throw new PathAlreadyExistsError(`There is something at ${path} already.`, {
      remedy: "Save the models elsewhere, or replace models and data with --mode overwrite.",
    });
  }
}

/** @throws NullVectorsError where rows without a vector are what the fit failed on */
async function explainNulls(data: DataFrame, column: string, cause: Error, signal: AbortSignal) {
  const nulls = await data.filter(col(column).isNull()).count({ signal });
  if (nulls === 0) return;
  throw new NullVectorsError(`${column} is null in ${nulls} of ${await data.count({ signal })} rows.`, {
    remedy: "Such rows are images that featurize --on-error null kept; leave them out with --on-error drop.",
    cause,
  });
}
