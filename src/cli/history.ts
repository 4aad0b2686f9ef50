import { join } from "node:path";
import { firstLine, IllegalArgumentError } from "../errors";
import { cacheFolder } from "../kernel/cache-folder";
import {
  factsOf,
  historyServer,
  logNamed,
  logsIn,
  reportText,
  runReport,
  runsStill,
  sessionReport,
  statusIn,
  summaries,
} from "../record";
import { dateText } from "../record/report-text";
import { bytesText } from "../showing/quantities";
import type { Place } from "../storage";
import { ABOUT } from "./abouts";
import {
  type Command,
  type CommandContext,
  type CommandGroup,
  type OptionSpecs,
  SHARED_OPTIONS,
  UsageError,
  wholeNumber,
} from "./command";
import { givenSettings, storagesForCommand } from "./session-for";
import { textTable } from "./text-table";

const FOLDER = {
  dir: {
    type: "string",
    value: "DIR",
    about:
      "the folder of the records, local or s3:// (default: pomona.history.dir of --conf, else history in the cache folder)",
  },
  conf: SHARED_OPTIONS.conf,
} as const satisfies OptionSpecs;

const list: Command = {
  name: "history list",
  about: "List the runs that are recorded, the last one first.",
  positionals: [],
  options: {
    number: { type: "string", short: "n", value: "N", default: "20", about: "how many" },
    ...FOLDER,
    json: SHARED_OPTIONS.json,
    help: SHARED_OPTIONS.help,
  },
  examples: ["pomona history list", "pomona history list --dir s3://bucket/history -n 5"],
  async run(context) {
    const { options, print } = context;
    const most = wholeNumber(options, "number") ?? 20;
    const folder = folderOf(context);
    const logs = await logsIn(folder);
    const runs = (await summaries(folder, logs.slice(0, most))).map(({ id, about, endedAt, counts, bytes }) => {
      const state = endedAt === undefined ? runsStill(about) : "ended";
      return {
        id,
        appName: about?.appName,
        master: about?.master,
        startedAt: about?.startedAt,
        endedAt,
        state,
        ...counts,
        logBytes: bytes,
      };
    });
    if (options.json) {
      print(JSON.stringify({ folder: folder.url, runs, more: logs.length - runs.length }));
      return 0;
    }
    if (runs.length === 0) {
      print(`There is no run in ${folder.url}: each session that runs a job leaves one.`);
      return 0;
    }
    const header = ["RUN", "APPLICATION", "MASTER", "STARTED", "STATE", "JOBS", "FAILED", "TASKS", "ROWS", "LOG"];
    const rows = runs.map((run) => [
      ...[run.id, run.appName ?? "", run.master ?? "", run.startedAt === undefined ? "" : dateText(run.startedAt)],
      ...[run.state === "unknown" ? "no end" : run.state, String(run.jobs), String(run.failedJobs), String(run.tasks)],
      ...[String(run.rows), bytesText(run.logBytes)],
    ]);
    print(textTable(header, rows, 5));
    if (logs.length > runs.length) print(`and ${logs.length - runs.length} more; -n ${logs.length} shows all.`);
    return 0;
  },
};

const show: Command = {
  name: "history show",
  about: "Show a run's stages and numbers as text. ID may be how it begins, or last.",
  positionals: ["ID"],
  options: { ...FOLDER, json: SHARED_OPTIONS.json, help: SHARED_OPTIONS.help },
  examples: ["pomona history show last", "pomona history show local-1764172800000 --json"],
  async run(context) {
    const { positionals, options, print } = context;
    const report = runReport(await named(positionals[0] ?? "", (id) => factsOf(folderOf(context), id)));
    if (!options.json) {
      print(reportText(report));
      for (const { number, description, error } of report.facts.jobs) {
        if (error !== undefined) print(`job ${number}, ${description}, failed: ${firstLine(error)}`);
      }
      return 0;
    }
    const { facts, totals, state, clock, workers } = report;
    const stages = report.stages.map(({ stage, retries, losses, seconds, skew }) => ({
      ...stage,
      status: statusIn(stage.status, state),
      retries,
      losses,
      taskSeconds: seconds,
      skew,
    }));
    const jobs = facts.jobs.map(({ stages: _, ...job }) => ({ ...job, status: statusIn(job.status, state) }));
    const { about, retries, losses, storageRetries, weights } = facts;
    print(
      JSON.stringify({
        about,
        state,
        totals,
        workSeconds: clock.seconds,
        jobs,
        stages,
        workers,
        retries,
        losses,
        storageRetries,
        weights,
      }),
    );
    return 0;
  },
};

const report: Command = {
  name: "history report",
  about: "Write a run's report as one HTML file that opens without a network. ID may be how it begins, or last.",
  positionals: ["ID"],
  options: {
    output: { type: "string", short: "o", value: "FILE", about: "where to, local or s3:// (default: ID.html here)" },
    ...FOLDER,
    json: SHARED_OPTIONS.json,
    help: SHARED_OPTIONS.help,
  },
  examples: [
    "pomona history report last -o run.html",
    "pomona history report local-1764172800000 -o s3://bucket/run.html",
  ],
  async run(context) {
    const { positionals, options, print } = context;
    const folder = folderOf(context);
    const { id } = await named(positionals[0] ?? "", async (name) => logNamed(await logsIn(folder), name, folder.url));
    const to = storagesForCommand(context).at(typeof options.output === "string" ? options.output : `${id}.html`);
    await sessionReport(await factsOf(folder, id), to);
    print(options.json ? JSON.stringify({ id, path: to.url }) : to.url);
    return 0;
  },
};

const serve: Command = {
  name: "history serve",
  about: "Show the runs in a browser, on this machine alone, those that go on as they go; Ctrl-C ends it.",
  positionals: [],
  options: {
    port: { type: "string", value: "PORT", default: "4040", about: "the port on 127.0.0.1; 0 for any that is free" },
    ...FOLDER,
    json: SHARED_OPTIONS.json,
    help: SHARED_OPTIONS.help,
  },
  examples: ["pomona history serve", "pomona history serve --port 0 --dir s3://bucket/history"],
  async run(context) {
    const { options, print, signal } = context;
    const port = wholeNumber(options, "port", 0) ?? 0;
    const folder = folderOf(context);
    const server = await historyServer(folder, port).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EADDRINUSE" && error.code !== "EACCES") throw error;
      throw new UsageError(`Port ${port} of 127.0.0.1 can't be had: ${error.code}.`, {
        remedy: "Give another one, or --port 0.",
      });
    });
    print(
      options.json
        ? JSON.stringify({ url: server.url, folder: folder.url })
        : `The runs in ${folder.url}: ${server.url}`,
    );
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    await server.close();
    return 0;
  },
};

/** `pomona history`: the record of runs. */
export const history: CommandGroup = {
  name: "history",
  about: ABOUT.history,
  commands: [list, show, report, serve],
  usual: list,
};

function folderOf(context: CommandContext): Place {
  const { dir } = context.options;
  const given = typeof dir === "string" ? dir : givenSettings(context)["pomona.history.dir"];
  return storagesForCommand(context).at(given ?? join(cacheFolder(), "history"));
}

/** A name that fits no run is wrong usage. */
async function named<T>(name: string, find: (name: string) => Promise<T>): Promise<T> {
  try {
    return await find(name);
  } catch (error) {
    if (error instanceof IllegalArgumentError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}
