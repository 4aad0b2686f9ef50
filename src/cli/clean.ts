import { bytesText, counted, durationText } from "../showing/quantities";
import { cleanLeftovers, type Leftover } from "../storage/leftovers";
import { ABOUT } from "./abouts";
import { type Command, type OptionValues, SHARED_OPTIONS, UsageError } from "./command";
import { progressLine } from "./progress-line";
import { storagesForCommand } from "./session-for";

/** `pomona clean PATH`: removes what runs that never came back left at a path. */
export const clean: Command = {
  name: "clean",
  about: ABOUT.clean,
  positionals: ["PATH"],
  options: {
    "dry-run": { type: "boolean", about: "only list it" },
    "older-than": {
      type: "string",
      value: "AGE",
      about:
        "the least age, as 90m, 12h or 7d (default: none where a lock tells that nobody writes there any more; 1d for single files, uploads and what other programs left)",
    },
    conf: SHARED_OPTIONS.conf,
    json: SHARED_OPTIONS.json,
    quiet: SHARED_OPTIONS.quiet,
    help: SHARED_OPTIONS.help,
  },
  examples: [
    "pomona clean out/features --dry-run",
    "pomona clean s3://bucket/Results --older-than 1d",
    "",
    "A write that runs, on any machine, is left alone. So is a commit that was interrupted: the exit code is 1 then, and",
    "running the same write again finishes it.",
  ],
  async run(context) {
    const { positionals, options, signal } = context;
    const olderThan = ageOption(options);
    const dryRun = options["dry-run"] === true;
    const { storage, url } = storagesForCommand(context).at(positionals[0] ?? "");
    const line = progressLine("clean: files looked at", options.quiet === true);
    const found = await cleanLeftovers(
      { storage, url },
      { dryRun, ...(olderThan === undefined ? {} : { olderThan }), signal, progress: (files) => line.update(files) },
    ).finally(() => line.end());
    const gone = found.filter(({ kept }) => kept === undefined);
    const bytes = gone.reduce((sum, each) => sum + (each.bytes ?? 0), 0);
    if (options.json)
      context.print(JSON.stringify({ path: url, dryRun, removed: gone.length, bytes, leftovers: found }));
    else {
      for (const each of found) context.print(lineOf(each, dryRun));
      context.print(summary(found.length, gone.length, bytes, dryRun, url));
    }
    return found.some(({ kind }) => kind === "commit") ? 1 : 0;
  },
};

const KINDS: Readonly<Record<Leftover["kind"], string>> = {
  write: "unfinished write",
  commit: "interrupted commit",
  foreign: "temporary files of another program",
  upload: "unfinished upload",
  file: "file on its way to a name",
};

function lineOf({ kind, url, bytes, files, uploads, age, kept }: Leftover, dryRun: boolean): string {
  const verb = kept !== undefined ? "kept" : dryRun ? "would remove" : "removed";
  const parts = [
    KINDS[kind],
    kind === "file" || files === 0 ? "" : counted(files, "file"),
    kind === "upload" || uploads === 0 ? "" : `${counted(uploads, "upload")} of unknown size`,
    bytes === undefined ? "size not known" : bytesText(bytes),
    `${durationText(age / 1000)} old`,
  ];
  return `${verb.padEnd(12)} ${url} (${parts.filter(Boolean).join(", ")})${kept === undefined ? "" : `: ${kept}`}`;
}

function summary(found: number, gone: number, bytes: number, dryRun: boolean, url: string): string {
  if (found === 0) return `Nothing is left over at ${url}.`;
  const kept = found === gone ? "" : `; ${found - gone} kept`;
  const verb = dryRun ? "would be removed (dry run: nothing was)" : "removed";
  return `${counted(gone, "leftover")} ${verb}, ${bytesText(bytes)} in files${kept}.`;
}

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

function ageOption(options: OptionValues): number | undefined {
  const text = options["older-than"];
  if (typeof text !== "string") return undefined;
  const match = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text.trim());
  if (match) return Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
  throw new UsageError(`--older-than must be an age such as 90m, 12h or 7d, not ${JSON.stringify(text)}.`);
}
