import { ABOUT } from "./abouts";
import { type Command, SHARED_OPTIONS, wholeNumber } from "./command";
import { withSession } from "./session-for";

/** `pomona show PATH`: schema and first rows of a Parquet data set, in Spark's text. */
export const show: Command = {
  name: "show",
  about: ABOUT.show,
  positionals: ["PATH"],
  options: {
    rows: { type: "string", short: "n", value: "N", default: "20", about: "how many rows" },
    "no-truncate": { type: "boolean", about: "whole values instead of their first 20 characters" },
    vertical: { type: "boolean", about: "a line a value" },
    master: SHARED_OPTIONS.master,
    conf: SHARED_OPTIONS.conf,
    json: { type: "boolean", about: "a JSON object a row, and nothing else" },
    quiet: SHARED_OPTIONS.quiet,
    help: SHARED_OPTIONS.help,
  },
  examples: ["pomona show out/features -n 5", "pomona show s3://bucket/Results --json -n 1"],
  async run(context) {
    const { positionals, options, signal } = context;
    const n = wholeNumber(options, "rows", 0) ?? 20;
    await withSession(context, async (session) => {
      const data = session.read.parquet(positionals[0] ?? "");
      if (options.json) {
        for (const row of await data.take(n, { signal })) context.print(JSON.stringify(row, plain));
        return;
      }
      await data.printSchema({ signal });
      const truncate = !options["no-truncate"];
      await data.show(n, { truncate, vertical: options.vertical === true, signal });
      context.print(`${await data.count({ signal })} rows`);
    });
    return 0;
  },
};

function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>);
  return value instanceof Map ? Object.fromEntries(value) : value;
}
