import { col } from "../frame/functions";
import type { SaveMode } from "../frame/runtime";
import { BACKENDS, NETWORKS, type NetworkName } from "../models";
import { ABOUT } from "./abouts";
import { type Command, SHARED_OPTIONS, wholeNumber } from "./command";
import { IMAGES_GLOB, imagesBelow, NoImagesError, passedOver, passedOverNote } from "./images-below";
import { withSession } from "./session-for";

/** `pomona featurize SRC DST`: images to Parquet with path, label, features. */
export const featurize: Command = {
  name: "featurize",
  about: ABOUT.featurize,
  positionals: ["SRC", "DST"],
  options: {
    model: {
      type: "string",
      value: "NAME",
      default: "mobileNetV2",
      choices: Object.keys(NETWORKS),
      about: "the network",
    },
    weights: {
      type: "string",
      value: "W",
      default: "imagenet",
      about: "imagenet, random (for dry runs), a path or URL",
    },
    backend: {
      type: "string",
      value: "NAME",
      default: "auto",
      choices: BACKENDS,
      about: "what runs the network",
    },
    glob: {
      type: "string",
      value: "PATTERN",
      default: IMAGES_GLOB,
      about: "which file names are images, in any case of letters",
    },
    "on-error": {
      type: "string",
      value: "WHAT",
      default: "fail",
      choices: ["fail", "null"],
      about: "a corrupt image fails the job, or becomes null with its reason in a column error",
    },
    ...SHARED_OPTIONS,
  },
  examples: [
    "pomona featurize fruits/Test out/features --partitions 24",
    "pomona featurize photos out/features --on-error null --mode overwrite",
    "pomona featurize s3://bucket/Test s3://bucket/Results --conf fs.s3a.endpoint=http://localhost:7070",
  ],
  async run(context) {
    const { positionals, options, signal } = context;
    const [src = "", dst = ""] = positionals;
    const partitions = wholeNumber(options, "partitions");
    const started = Date.now();
    const result = await withSession(context, async (session) => {
      const glob = String(options.glob);
      const images = imagesBelow(session, src, glob);
      const passed = await passedOver(session, src, glob, { signal });
      if (await images.select("path").isEmpty({ signal })) throw new NoImagesError(src, glob, passed);
      const note = passedOverNote(passed);
      if (note) context.note(note);
      const network = NETWORKS[options.model as NetworkName]({
        weights: String(options.weights),
        backend: options.backend as "auto",
        onError: options["on-error"] as "fail",
      });
      const rows = partitions === undefined ? images : images.repartition(partitions);
      const features = rows.select("path", "label", network(col("content")).alias("features"));
      const writing = Date.now();
      const written = await features.write.mode(options.mode as SaveMode).parquet(dst, { signal });
      return { ...written, writeSeconds: (Date.now() - writing) / 1000, passedOver: passed.byExtension };
    });
    const seconds = (Date.now() - started) / 1000;
    if (options.json) {
      const imagesPerSecond = result.rows / seconds;
      context.print(JSON.stringify({ ...result, files: result.files.length, seconds, imagesPerSecond }));
    } else if (result.skipped) {
      context.print(`${dst} holds data already; nothing was written (mode ignore).`);
    } else {
      const failed = result.failedRows > 0 ? `, ${result.failedRows} of them null for an error` : "";
      context.print(
        `${result.rows} images${failed} in ${seconds.toFixed(1)} s ` +
          `(${(result.rows / seconds).toFixed(0)} images/s), ${result.files.length} files in ${dst}`,
      );
    }
    return 0;
  },
};
