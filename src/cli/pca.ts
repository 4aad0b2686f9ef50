import { PCA, StandardScaler } from "../estimator";
import type { DataFrame } from "../frame/dataframe";
import type { SaveMode } from "../frame/runtime";
import { type Command, SHARED_OPTIONS, UsageError, wholeNumber } from "./command";
import { withSession } from "./session-for";

/** `pomona pca SRC DST`: scales vectors to mean 0 and deviation 1, then projects them on their principal components. */
export const pca: Command = {
  name: "pca",
  about: "Scale the vectors in SRC and reduce them by PCA, into Parquet with path, label, pca at DST.",
  positionals: ["SRC", "DST"],
  options: {
    k: { type: "string", value: "K", default: "100", about: "components: a number, or a share of the variance as 0.9" },
    column: { type: "string", value: "NAME", default: "features", about: "the column of vectors" },
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
    const started = Date.now();
    const done = await withSession(context, async (session) => {
      const read = session.read.parquet(src);
      const data: DataFrame = partitions === undefined ? read : read.repartition(partitions);
      const scaler = new StandardScaler({ inputCol: column, outputCol: "scaled", withMean: true, withStd: true });
      const scalerModel = await scaler.fit(data, { signal });
      const scaled = scalerModel.transform(data);
      const model = await new PCA({ inputCol: "scaled", outputCol: "pca", k }).fit(scaled, { signal });
      const kept = (await data.columns({ signal })).filter((name) => name === "path" || name === "label");
      const reduced = model.transform(scaled).select(...kept, "pca");
      const result = await reduced.write.mode(options.mode as SaveMode).parquet(dst, { signal });
      const folder = options["save-model"];
      if (typeof folder === "string") {
        await scalerModel.save(`${folder}/scaler`);
        await model.save(`${folder}/pca`);
      }
      return { result, k: model.k, explainedVariance: [...model.explainedVariance] };
    });
    const seconds = (Date.now() - started) / 1000;
    const share = done.explainedVariance.reduce((sum, v) => sum + v, 0);
    if (options.json) {
      const { result, k: components, explainedVariance } = done;
      context.print(
        JSON.stringify({ ...result, files: result.files.length, k: components, explainedVariance, seconds }),
      );
    } else if (done.result.skipped) {
      context.print(`${dst} holds data already; nothing was written (mode ignore).`);
    } else {
      context.print(
        `${done.result.rows} vectors in ${seconds.toFixed(1)} s: ${done.k} components hold ` +
          `${(share * 100).toFixed(1)} % of the variance; ${done.result.files.length} files in ${dst}`,
      );
    }
    return 0;
  },
};
