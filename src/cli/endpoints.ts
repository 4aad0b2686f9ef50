import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { checkEndpoint, type EndpointCheck } from "../engine/jupyter/endpoint-check";
import { type EndpointSettings, endpointSettings, TOKEN_SETTING } from "../engine/jupyter/endpoint-settings";
import { readToken } from "../engine/jupyter/endpoint-token";
import { IllegalArgumentError } from "../errors";

import { bytesText } from "../showing/quantities";
import { type FileStatus, PathNotFoundError, storageSettings } from "../storage";
import { ABOUT } from "./abouts";
import { type Command, type CommandContext, type CommandGroup, SHARED_OPTIONS, UsageError } from "./command";
import { progressLine } from "./progress-line";
import { givenSettings, storagesForCommand } from "./session-for";
import { textTable } from "./text-table";

const check: Command = {
  name: "endpoints check",
  about: "Start a kernel behind each endpoint as a session does, tell what it is and sees, and end it.",
  positionals: ["[URL…]"],
  options: {
    endpoints: {
      type: "string",
      value: "FILE",
      about: "those of this file, as the setting pomona.endpoints has them; with URLs it tells their slots and tokens",
    },
    "token-file": {
      type: "string",
      value: "FILE",
      about: "the file with the token of those that have none of their own (default: POMONA_ENDPOINT_TOKEN)",
    },
    files: {
      type: "string",
      value: "DIR",
      about: "a folder that they are to see (default: pomona.spool.dir, else the one for temporary files)",
    },
    bucket: { type: "string", value: "URL", about: "where they are to see the same file: s3://bucket/prefix" },
    conf: SHARED_OPTIONS.conf,
    json: SHARED_OPTIONS.json,
    quiet: SHARED_OPTIONS.quiet,
    help: SHARED_OPTIONS.help,
  },
  examples: [
    "pomona endpoints check http://10.0.0.5:8889 http://10.0.0.6:8889 --token-file ~/cluster-token",
    "pomona endpoints check --endpoints endpoints.json --files /shared/spool --bucket s3://bucket/Test",
    "",
    "The exit code is 1 where one of them can't be used so. What is written is one small file in DIR, which is removed again.",
  ],
  async run(context) {
    const { options, signal, print } = context;
    const endpoints = endpointsOf(context);
    const settings = givenSettings(context);
    const given = options.files ?? settings["pomona.spool.dir"];
    const questions = {
      folder: await writableFolder(resolve(typeof given === "string" ? given : tmpdir())),
      isRequired: options.files !== undefined,
      file: typeof options.bucket === "string" ? await fileIn(context, options.bucket) : undefined,
      storage: storageSettings(settings),
    };
    const line = progressLine("endpoints: answered", options.quiet === true);
    let answered = 0;
    line.update(0, endpoints.length);
    const all = endpoints.map((endpoint) =>
      checkEndpoint(endpoint, questions, signal).finally(() => line.update(++answered, endpoints.length)),
    );
    // Each ends its kernel before this does, also where another was aborted.
    await Promise.allSettled(all);
    line.end();
    const checks = await Promise.all(all);
    if (options.json) print(JSON.stringify({ endpoints: checks.map(jsonOf) }));
    else print(textOf(checks, questions));
    return checks.every(({ error }) => error === undefined) ? 0 : 1;
  },
};

/** `pomona endpoints`: machines that run a session's tasks. */
export const endpoints: CommandGroup = { name: "endpoints", about: ABOUT.endpoints, commands: [check] };

/** @throws UsageError, EndpointTokenError */
function endpointsOf(context: CommandContext): readonly EndpointSettings[] {
  const { positionals, options } = context;
  const { endpoints: file, "token-file": tokenFile } = options;
  const settings = {
    ...givenSettings(context),
    ...(typeof file === "string" ? { "pomona.endpoints": file } : {}),
    ...(typeof tokenFile === "string" ? { [TOKEN_SETTING]: readToken(tokenFile) } : {}),
  };
  if (positionals.length === 0 && settings["pomona.endpoints"] === undefined)
    throw new UsageError("There is no endpoint to check.", {
      remedy: "Name them, such as http://10.0.0.5:8889, or give the file of pomona.endpoints by --endpoints.",
    });
  const masters = positionals.length === 0 ? ["jupyter"] : positionals.map(masterOf);
  try {
    const found = masters.flatMap((master) => endpointSettings(master, settings));
    const from = typeof tokenFile === "string" ? `--token-file ${tokenFile}` : TOKEN_SETTING;
    const told = found.map((each) => (each.tokenFrom === TOKEN_SETTING ? { ...each, tokenFrom: from } : each));
    return [...new Map(told.map((each) => [each.url, each])).values()];
  } catch (error) {
    if (error instanceof IllegalArgumentError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/** `http://host:8889`, `host:8889` or `jupyter://host:8889`, as a session's master. */
function masterOf(url: string): string {
  if (/^jupyters?:/.test(url)) return url;
  return /^https?:/.test(url) ? url.replace(/^http/, "jupyter") : `jupyter://${url}`;
}

/** A small file is written into it. @throws PathNotFoundError */
async function writableFolder(folder: string): Promise<string> {
  try {
    if ((await stat(folder)).isDirectory()) {
      await access(folder, constants.W_OK);
      return folder;
    }
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new PathNotFoundError(`No file can be written into ${folder}: ${code ?? message}.`, folder);
  }
  throw new PathNotFoundError(`${folder} is no folder.`, folder);
}

/** The first file there, which this machine and the workers are to see alike. @throws StorageError, UsageError */
async function fileIn(context: CommandContext, bucket: string): Promise<FileStatus> {
  const { storage, url } = storagesForCommand(context).at(bucket);
  if (url.startsWith("file:"))
    throw new UsageError(`--bucket takes an address such as s3://bucket/prefix, not ${JSON.stringify(bucket)}.`, {
      remedy: "--files is for folders.",
    });
  for await (const file of storage.list(url, { signal: context.signal })) return file;
  throw new PathNotFoundError(`There is no file at ${bucket} that workers could be asked for.`, url);
}

function jsonOf({ error, ...found }: EndpointCheck) {
  const told = error === undefined ? {} : { error: { name: error.name, message: error.message } };
  return { ...found, usable: error === undefined, ...told };
}

interface Asked {
  readonly folder: string;
  readonly file: FileStatus | undefined;
}

function textOf(checks: readonly EndpointCheck[], { folder, file }: Asked): string {
  const seen = (is: boolean | undefined) => (is === undefined ? "" : is ? "yes" : "no");
  const header = ["ENDPOINT", "STATE", "POMONA", "JUPYTER", "NODE", "FILES", ...(file ? ["BUCKET"] : [])];
  const numbers = ["SLOTS", "CORES", "MEMORY", "ROUND TRIP"];
  const names = checks.map(({ endpoint }) => endpoint);
  const isTwice = (name: string) => names.indexOf(name) !== names.lastIndexOf(name);
  const rows = checks.map((each) => [
    // By http and by https: which of them is which.
    isTwice(each.endpoint) ? each.url : each.endpoint,
    each.error === undefined ? "ready" : "can't be used",
    each.pomona ?? "",
    each.jupyter ?? "",
    each.node ?? "",
    seen(each.files),
    ...(file ? [seen(each.bucket)] : []),
    String(each.slots ?? ""),
    String(each.cores ?? ""),
    each.memory === undefined ? "" : bytesText(each.memory),
    each.roundTrip === undefined ? "" : `${each.roundTrip.toFixed(1)} ms`,
  ]);
  const failures = checks.flatMap(({ error }) => (error === undefined ? [] : `${error.name}: ${error.message}`));
  return [
    textTable([...header, ...numbers], rows, numbers.length),
    "",
    `FILES: whether ${folder} of this machine is seen there; its files travel where it is not.${file ? ` BUCKET: whether ${file.url} is the same file there.` : ""}`,
    ...failures.flatMap((text) => ["", text]),
  ].join("\n");
}
