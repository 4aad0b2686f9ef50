import { execFile } from "node:child_process";
import { constants, rmSync } from "node:fs";
import { access, mkdtemp } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { availableParallelism, hostname, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { MOST_SLOTS } from "../engine/jupyter/endpoint-settings";
import { counted } from "../showing/quantities";
import { PathNotFoundError } from "../storage";
import { VERSION } from "../version";
import { ABOUT } from "./abouts";
import { type Command, type OptionValues, SHARED_OPTIONS, UsageError, wholeNumber } from "./command";
import { checkTokenFile, tokenFile } from "./endpoint-token";
import { JupyterMissingError, jupyterPython } from "./jupyter-paths";
import { refuseRoot } from "./jupyter-server";
import { refuseTaken } from "./ports";
import { startWorkerServer, WorkerError } from "./worker-server";

/** `pomona worker`: makes this machine an endpoint. */
export const worker: Command = {
  name: "worker",
  about: ABOUT.worker,
  positionals: [],
  rest: "[-- options for jupyter server]",
  options: {
    ip: {
      type: "string",
      value: "IP",
      default: "0.0.0.0",
      about: "where it listens; 127.0.0.1: for this machine alone",
    },
    port: { type: "string", value: "N", default: "8889", about: "the port to listen on; 0: one that is free" },
    slots: {
      type: "string",
      value: "N",
      about: "how many tasks run here at once, unless a session's pomona.endpoints says otherwise (default: its cores)",
    },
    "token-file": {
      type: "string",
      value: "FILE",
      about:
        "the file with the token, made with mode 600 where it is missing (default: ~/.cache/pomona/endpoint-token)",
    },
    certfile: { type: "string", value: "FILE", about: "for TLS: the certificate, in PEM form" },
    keyfile: { type: "string", value: "FILE", about: "for TLS: the certificate's private key, in PEM form" },
    drain: {
      type: "boolean",
      about:
        "when told to end, take nothing new and let the tasks and cells that run come to their end; told twice: at once",
    },
    "allow-root": { type: "boolean", about: "start as root too, as in a container" },
    "dry-run": { type: "boolean", about: "tell whether all is there that it needs; start nothing" },
    json: SHARED_OPTIONS.json,
    help: SHARED_OPTIONS.help,
  },
  examples: [
    "pomona worker --dry-run",
    "pomona worker --port 9000 --slots 4 --token-file ~/cluster-token --drain",
    "pomona worker --certfile node1.pem --keyfile node1.key",
    "pomona worker --ip 127.0.0.1 -- --MappingKernelManager.cull_idle_timeout=3600",
  ],
  async run({ options, rest, signal, print, note }) {
    const wanted = wantedOf(options);
    const { slots } = wanted;
    const allowRoot = options["allow-root"] === true || rest.includes("--allow-root");
    refuseRoot(allowRoot);
    const python = jupyterPython();
    const jupyterServer = await jupyterVersion(python);
    for (const file of [wanted.certfile, wanted.keyfile]) if (file !== undefined) await readable(file);
    await refuseTaken(wanted.ip, wanted.port, "--port and --ip name another one.");
    const named = typeof options["token-file"] === "string" ? options["token-file"] : undefined;
    checkTokenFile(named);
    const about = { version: VERSION, jupyterServer, slots };
    if (options["dry-run"]) {
      if (options.json) print(JSON.stringify({ ...about, python }));
      else
        print(`All is there: Jupyter Server ${jupyterServer} of ${python}, the kernel, the port. Nothing was started.`);
      return 0;
    }
    const token = await tokenFile(named, note);
    const state = await mkdtemp(join(tmpdir(), "pomona-worker-"));
    const remove = () => rmSync(state, { recursive: true, force: true });
    process.once("exit", remove);
    try {
      const server = await startWorkerServer(python, { ...wanted, tokenFile: token.file, state, allowRoot, rest });
      const end = () => {
        if (!options.drain) return server.end(note);
        const text = "nothing new is taken, and tasks and cells that run come to their end. Ctrl-C ends it at once.";
        void server.drain().then(() => note(`Draining: ${text}`));
      };
      if (signal.aborted) end();
      else signal.addEventListener("abort", end, { once: true });
      const port = await server.listening;
      const url = `${wanted.certfile === undefined ? "http" : "https"}://${hostOf(wanted.ip)}:${port}`;
      const line = { url, slots };
      if (options.json) print(JSON.stringify({ ...about, ...line, tokenFile: token.file }));
      else print(readyText(line, token, jupyterServer));
      if (wanted.certfile === undefined && !/^(127\.|::1$|localhost$)/.test(wanted.ip))
        note(
          "Without TLS the network between sees the token and the data: use it within one you trust, or --certfile and --keyfile.",
        );
      const code = await server.ended;
      if (signal.aborted) return 0;
      throw new WorkerError(`Jupyter Server has ended by itself (${code ?? "killed"}).`);
    } catch (error) {
      if (signal.aborted && error instanceof WorkerError) return 0;
      throw error;
    } finally {
      process.off("exit", remove);
      remove();
    }
  },
};

interface Endpoint {
  readonly url: string;
  readonly slots: number;
}

function readyText(line: Endpoint, token: { readonly file: string; readonly isNew: boolean }, jupyter: string): string {
  return [
    `The endpoint ${line.url} is ready: ${counted(line.slots, "slot")}, pomona ${VERSION}, Jupyter Server ${jupyter}. Ctrl-C ends it.`,
    `Its token is ${token.isNew ? "new, " : ""}in ${token.file}; whoever has it can run code here as you.`,
    "",
    "In a session, with that token in POMONA_ENDPOINT_TOKEN:",
    "",
    `  master("${line.url.replace(/^http/, "jupyter")}")`,
    "",
    "or among those of the setting pomona.endpoints:",
    "",
    `  ${JSON.stringify(line)}`,
  ].join("\n");
}

/** @throws UsageError */
function wantedOf(options: OptionValues) {
  const file = (name: string) => (typeof options[name] === "string" ? resolve(options[name]) : undefined);
  const [certfile, keyfile] = [file("certfile"), file("keyfile")];
  if ((certfile === undefined) !== (keyfile === undefined)) {
    throw new UsageError(`--${certfile === undefined ? "keyfile" : "certfile"} alone makes no TLS.`, {
      remedy: "Give the certificate with --certfile and its private key with --keyfile.",
    });
  }
  return {
    ip: String(options.ip),
    port: wholeNumber(options, "port", 0) ?? 0,
    slots: slotsOf(options),
    certfile,
    keyfile,
  };
}

/** @throws UsageError */
function slotsOf(options: OptionValues): number {
  const slots = wholeNumber(options, "slots") ?? availableParallelism();
  if (slots <= MOST_SLOTS) return slots;
  throw new UsageError(`--slots must be a whole number from 1 to ${MOST_SLOTS}, not ${slots}.`);
}

/** How others name it, as far as this machine knows. */
function hostOf(ip: string): string {
  if (["0.0.0.0", "::", "*", ""].includes(ip)) return hostname();
  return isIPv6(ip) ? `[${ip}]` : ip;
}

/** @throws JupyterMissingError */
async function jupyterVersion(python: string): Promise<string> {
  try {
    const script = "from importlib.metadata import version; print(version('jupyter_server'))";
    return (await promisify(execFile)(python, ["-c", script])).stdout.trim();
  } catch (cause) {
    throw new JupyterMissingError(`${python} has no Jupyter Server.`, {
      cause,
      remedy: `Install it: ${python} -m pip install jupyter_server`,
    });
  }
}

/** @throws PathNotFoundError */
async function readable(file: string): Promise<void> {
  await access(file, constants.R_OK).catch((cause: NodeJS.ErrnoException) => {
    throw new PathNotFoundError(`${file} cannot be read: ${cause.code}.`, file);
  });
}
