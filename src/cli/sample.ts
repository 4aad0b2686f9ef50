import { balancedSample } from "../ml";
import { listed } from "../storage";
import { copyTree } from "../storage/copy-tree";
import { folderOfPattern } from "../storage/glob-paths";
import { ABOUT } from "./abouts";
import { type Command, SHARED_OPTIONS, wholeNumber } from "./command";
import { IMAGES_GLOB, imagesBelow, NoImagesError, passedOver, passedOverNote } from "./images-below";
import { progressLine } from "./progress-line";
import { withSession } from "./session-for";

/** `pomona sample SRC DST`: copies a sample that is balanced over the classes (the folders). */
export const sample: Command = {
  name: "sample",
  about: ABOUT.sample,
  positionals: ["SRC", "DST"],
  options: {
    n: { type: "string", short: "n", value: "N", default: "300", about: "images to take, all classes together" },
    seed: { type: "string", value: "S", default: "42", about: "the same seed takes the same images" },
    glob: {
      type: "string",
      value: "PATTERN",
      default: IMAGES_GLOB,
      about: "which file names to take, in any case of letters",
    },
    master: SHARED_OPTIONS.master,
    conf: SHARED_OPTIONS.conf,
    json: SHARED_OPTIONS.json,
    quiet: SHARED_OPTIONS.quiet,
    help: SHARED_OPTIONS.help,
  },
  examples: ["pomona sample fruits/Test out/sample -n 300", "pomona sample s3://bucket/Test s3://bucket/sample -n 300"],
  async run(context) {
    const { positionals, options, signal } = context;
    const [src = "", dst = ""] = positionals;
    const n = wholeNumber(options, "n") ?? 300;
    const seed = wholeNumber(options, "seed", 0) ?? 42;
    const glob = String(options.glob);
    const {
      found: rows,
      passed,
      storages,
    } = await withSession(context, async (session) => {
      const files = imagesBelow(session, src, glob);
      const found = await balancedSample(files, { by: "label", n, seed }).select("path", "label").collect({ signal });
      const passed = await passedOver(session, src, glob, { signal });
      if (found.length === 0) throw new NoImagesError(src, glob, passed);
      return { found, passed, storages: session.runtime.storages };
    });
    const note = passedOverNote(passed);
    if (note) context.note(note);
    const line = progressLine("copy", options.quiet === true);
    const copied = await copyTree(await folderOfPattern(storages, src), dst, {
      storages,
      files: rows.map((row) => row.path),
      signal,
      progress: ({ files, totalFiles }) => line.update(files, totalFiles),
    });
    line.end();
    const { storage, url } = storages.at(dst);
    const others = (await listed(storage, url, { signal })).length - rows.length;
    if (others > 0) context.note(`Note: ${dst} holds ${others} other files too; they are not part of this sample.`);
    const classes = new Set(rows.map((row) => row.label)).size;
    if (options.json)
      context.print(JSON.stringify({ files: rows.length, classes, others, passedOver: passed.byExtension, ...copied }));
    else context.print(`${rows.length} files of ${classes} classes in ${dst} (${copied.copied} copied)`);
    return 0;
  },
};
