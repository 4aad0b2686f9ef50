import { ABOUT } from "./abouts";
import { type Command, type CommandGroup, type OptionValues, SHARED_OPTIONS, UsageError, wholeNumber } from "./command";
import { isRunning } from "./process-tree";
import { versionAnswered } from "./spark/answers";
import { NoSparkServerError } from "./spark/errors";
import { endServer } from "./spark/launch";
import { allRecords, isThere, nameOf, recordAt, type ServerRecord, toldOf } from "./spark/server-record";
import { start } from "./spark/start";
import { textTable } from "./text-table";

const ANSWER_MS = 5_000;

const PORT = { type: "string", value: "N" } as const;

const stop: Command = {
  name: "spark stop",
  about: "End a Spark that was started here: all of its processes, and no other.",
  positionals: [],
  options: {
    port: { ...PORT, about: "the one that listens there (default: the only one that there is)" },
    all: { type: "boolean", about: "every one" },
    json: SHARED_OPTIONS.json,
    quiet: SHARED_OPTIONS.quiet,
    help: SHARED_OPTIONS.help,
  },
  examples: ["pomona spark stop", "pomona spark stop --port 15003", "pomona spark stop --all"],
  async run(context) {
    const { options, print, note } = context;
    const records = toStop(options);
    const stopped = [];
    for (const record of records) {
      note(`Ending ${nameOf(record)} at ${record.url} …`);
      await endServer(record);
      stopped.push({ port: record.port, url: record.url });
    }
    if (options.json) print(JSON.stringify({ stopped }));
    else print(stopped.length === 0 ? NOTHING : `Ended: ${stopped.map(({ url }) => url).join(", ")}.`);
    return 0;
  },
};

const status: Command = {
  name: "spark status",
  about: "List the Sparks that were started here, and whether they answer.",
  positionals: [],
  options: {
    port: { ...PORT, about: "only the one that listens there" },
    json: SHARED_OPTIONS.json,
    help: SHARED_OPTIONS.help,
  },
  examples: ["pomona spark status", "", "The exit code is 1 where one of them doesn't answer."],
  async run({ options, print }) {
    const port = wholeNumber(options, "port");
    const records = port === undefined ? allRecords() : [serverAt(port)];
    const servers = await Promise.all(records.map(async (record) => ({ record, state: await stateOf(record) })));
    if (options.json) {
      print(JSON.stringify({ servers: servers.map(({ record, state }) => ({ ...toldOf(record), state })) }));
    } else if (servers.length === 0) print(NOTHING);
    else {
      const rows = servers.map(({ record, state }) => [
        record.url,
        nameOf(record),
        state,
        record.pages.ui ?? "",
        record.pages.history ?? "",
        String(record.workers),
        String(record.processes.filter(isRunning).length),
      ]);
      print(textTable(["ADDRESS", "SERVER", "STATE", "UI", "HISTORY", "WORKERS", "PROCESSES"], rows, 2));
      for (const { record, state } of servers)
        if (state !== "ready" && state !== "starting")
          print(`\n${record.url} ${state}; its logs: ${record.folder}/logs`);
    }
    return servers.every(({ state }) => state === "ready" || state === "starting") ? 0 : 1;
  },
};

/** `pomona spark`: Spark on this machine. */
export const spark: CommandGroup = { name: "spark", about: ABOUT.spark, commands: [start, stop, status] };

const NOTHING = "No Spark was started here: pomona spark start starts one.";

/** @throws UsageError, NoSparkServerError */
function toStop(options: OptionValues): readonly ServerRecord[] {
  const port = wholeNumber(options, "port");
  if (port !== undefined) return [serverAt(port)];
  const records = allRecords();
  if (options.all || records.length <= 1) return records;
  throw new UsageError(`There are ${records.length} servers: ${records.map(({ url }) => url).join(", ")}.`, {
    remedy: "--port names one of them; --all means all.",
  });
}

/** @throws NoSparkServerError */
function serverAt(port: number): ServerRecord {
  const record = recordAt(port);
  if (record !== undefined) return record;
  const others = allRecords().map(({ url }) => url);
  throw new NoSparkServerError(`No Spark was started here at port ${port}.`, {
    remedy: others.length > 0 ? `There is ${others.join(", ")}.` : "pomona spark start starts one.",
  });
}

async function stateOf(record: ServerRecord): Promise<string> {
  if (!isThere(record)) return "has ended";
  if (!record.isReady) {
    const isStarting = record.processes.some((id) => id.role === "start" && isRunning(id));
    return isStarting ? "starting" : "was left half-started";
  }
  const gone = record.processes.filter((id) => !isRunning(id)).map(({ role }) => role);
  if (gone.length > 0) return `has lost its ${[...new Set(gone)].join(", ")}`;
  return (await versionAnswered(record.port, ANSWER_MS)) === undefined ? "does not answer" : "ready";
}
