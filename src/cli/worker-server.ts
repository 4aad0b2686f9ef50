import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { PomonaError } from "../errors";
import { SLOTS_VARIABLE } from "../worker/host-messages";
import { type JupyterServer, jupyterVariables, startJupyterServer } from "./jupyter-server";
import { installKernelspec, KERNEL_NAME } from "./kernelspec";

/** The server of a worker did not start, or ended by itself. */
export class WorkerError extends PomonaError {}

/** After how long a kernel is ended that nobody is connected to and that computes nothing, in seconds. */
const IDLE_S = 600;
/** What one message may hold; Tornado's own limit is 10 MiB. */
const MESSAGE_BYTES = 64 * 2 ** 20;
/** How often a socket's other end is asked, and how long for an answer: its own defaults, 30 and 90 s, make Tornado complain. */
const PING_MS = 90_000;
/** How much of the server's log is told where it does not start. */
const LOG_LINES = 20;

export interface WorkerServerOptions {
  readonly ip: string;
  readonly port: number;
  readonly slots: number;
  readonly tokenFile: string;
  readonly certfile: string | undefined;
  readonly keyfile: string | undefined;
  /** A folder of its own, for what it writes while it runs. */
  readonly state: string;
  readonly allowRoot: boolean;
  /** Options for Jupyter Server, which win over these. */
  readonly rest: readonly string[];
}

export interface WorkerServer extends Pick<JupyterServer, "ended" | "end"> {
  /** The port, once it listens. @throws WorkerError where it ends before */
  readonly listening: Promise<number>;
  /** Lets it tell sessions that they give it no further task, and end when no kernel runs anything. Resolves once it takes no new one. */
  drain(): Promise<unknown>;
}

/** What the server tells of itself. */
type ServerEvent = { readonly event: "ready"; readonly port: number } | { readonly event: "draining" };

/** Starts Jupyter Server as an endpoint, with this package's kernel and no setting of the machine's Jupyter. */
export async function startWorkerServer(python: string, options: WorkerServerOptions): Promise<WorkerServer> {
  const data = join(options.state, "data");
  await installKernelspec({ dataDir: data });
  const variables: NodeJS.ProcessEnv = {
    ...process.env,
    ...jupyterVariables({ data: [data] }),
    JUPYTER_NO_CONFIG: "1",
    // It removes the folder too, where this process can't.
    POMONA_WORKER_STATE: options.state,
    JUPYTER_DATA_DIR: data,
    JUPYTER_RUNTIME_DIR: join(options.state, "run"),
    // Read by the server itself: a command line is seen by everybody on the machine.
    JUPYTER_TOKEN_FILE: options.tokenFile,
    // Its kernels have it from the server, and tell it to sessions.
    [SLOTS_VARIABLE]: String(options.slots),
  };
  // It wins over the file.
  delete variables.JUPYTER_TOKEN;
  const server = startJupyterServer(python, ["-m", "pomona_jupyter.worker", ...args(options)], {
    env: variables,
    // Out of reach of the terminal's Ctrl-C, which would cut short what is to come to its end.
    detached: true,
    // Our end of the first is how it notices that this process is gone; on the last it tells of itself.
    stdio: ["pipe", 2, "pipe", "pipe"],
  });
  const { stdin, stderr, stdio } = server.process;
  const log = heldLog(stderr);
  const commands = stdin;
  // It may be gone already.
  commands?.on("error", () => {});
  const told = createInterface({ input: stdio[3] as Readable });
  const event = <T extends ServerEvent["event"]>(name: T) =>
    new Promise<Extract<ServerEvent, { event: T }>>((resolve) => {
      told.on("line", (line) => {
        const event = JSON.parse(line);
        if (event.event === name) resolve(event);
      });
    });
  const draining = event("draining");
  const ready = event("ready").then(({ port }) => {
    log.release();
    return port;
  });
  const failed = server.ended.then((code): never => {
    throw new WorkerError(`Jupyter Server did not start (${code ?? "killed"}):\n${log.held()}`);
  });
  return {
    listening: Promise.race([ready, failed]),
    ended: server.ended,
    end: (note) => server.end(note),
    drain() {
      commands?.write("drain\n");
      return draining;
    },
  };
}

/** Each once, since Jupyter takes no option twice. */
function args(options: WorkerServerOptions): string[] {
  const nameOf = (option: string) => option.split("=")[0];
  const given = new Set(options.rest.map(nameOf));
  return [...settings(options).filter((option) => !given.has(nameOf(option))), ...options.rest];
}

function settings({ ip, port, certfile, keyfile, allowRoot }: WorkerServerOptions): string[] {
  const extensions = "{'pomona_jupyter.worker': True, 'pomona_jupyter.no_delay': True}";
  return [
    "--no-browser",
    ...(allowRoot ? ["--allow-root"] : []),
    `--ServerApp.ip=${ip}`,
    `--ServerApp.port=${port}`,
    // Another port than the one that others were told of is of no use.
    "--ServerApp.port_retries=0",
    "--ServerApp.base_url=/",
    // Not by names that browsers may be tricked with: a client has the token or gets nothing.
    "--ServerApp.allow_remote_access=True",
    "--ServerApp.terminals_enabled=False",
    "--ServerApp.log_level=WARN",
    `--ServerApp.jpserver_extensions=${extensions}`,
    `--ServerApp.tornado_settings={'websocket_max_message_size': ${MESSAGE_BYTES}, 'ws_ping_interval': ${PING_MS}, 'ws_ping_timeout': ${PING_MS}}`,
    // Tasks and results are many small messages, which a limit for cells that print too much would drop.
    "--ZMQChannelsWebsocketConnection.limit_rate=False",
    `--KernelSpecManager.allowed_kernelspecs=${KERNEL_NAME}`,
    "--KernelSpecManager.ensure_native_kernel=False",
    `--MappingKernelManager.default_kernel_name=${KERNEL_NAME}`,
    `--MappingKernelManager.cull_idle_timeout=${IDLE_S}`,
    `--MappingKernelManager.cull_interval=${IDLE_S / 10}`,
    "--MappingKernelManager.cull_busy=False",
    "--MappingKernelManager.cull_connected=False",
    ...(certfile === undefined ? [] : [`--ServerApp.certfile=${certfile}`]),
    ...(keyfile === undefined ? [] : [`--ServerApp.keyfile=${keyfile}`]),
  ];
}

/** What a server logs: held until it is released, as an error may tell it, then passed on. */
function heldLog(stream: Readable | null) {
  let held = "";
  let isReleased = false;
  stream?.setEncoding("utf8").on("data", (text: string) => {
    if (isReleased) process.stderr.write(text);
    else held += text;
  });
  return {
    held: () => held.trim().split("\n").slice(-LOG_LINES).join("\n"),
    release() {
      isReleased = true;
      process.stderr.write(held);
    },
  };
}
