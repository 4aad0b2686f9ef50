import { spawn } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { PathNotFoundError } from "../storage";
import { ABOUT } from "./abouts";
import { type Command, type OptionValues, SHARED_OPTIONS, UsageError, wholeNumber } from "./command";
import { dataDirOf, jupyterPython, jupyterVenv } from "./jupyter-paths";
import { installKernelspec } from "./kernelspec";
import { killTree } from "./process-tree";

const root = join(__dirname, "..", "..");
/** EMR's name of it. */
const CONF = "jupyter-s3-conf.json";
/** How long a server that is asked to end may save what its notebooks have shown and end its kernels. */
const ENDS_WITHIN_MS = 20_000;
/** After how long it is said that we wait. */
const SAID_AFTER_MS = 3_000;
const jupyterSide = join(root, "kernel-ext", "python");

/** `pomona lab [DIR]`: JupyterLab with the kernel in it. */
export const lab: Command = {
  name: "lab",
  about: ABOUT.lab,
  positionals: ["[DIR]"],
  rest: "[-- options for jupyter lab]",
  options: {
    port: { type: "string", value: "N", about: "the port to listen on (default: 8888, or the next that is free)" },
    "no-browser": { type: "boolean", about: "only print the address" },
    "allow-root": { type: "boolean", about: "start as root too, as in a container" },
    "s3-conf": {
      type: "string",
      value: "FILE",
      about:
        "keep the notebooks in the bucket that this jupyter-s3-conf.json names (default: POMONA_S3_CONF, or the one in DIR)",
    },
    "s3-user": { type: "string", value: "NAME", about: "whose notebooks in that bucket (default: your login name)" },
    help: SHARED_OPTIONS.help,
  },
  examples: [
    "pomona lab",
    "pomona lab ~/my-notebooks --port 9999",
    "pomona lab --no-browser -- --ip=0.0.0.0",
    "pomona lab --s3-conf jupyter-s3-conf.json --s3-user jovyan",
  ],
  async run({ positionals, options, rest, signal, note }) {
    const folder = resolve(positionals[0] ?? join(root, "notebooks"));
    if (!existsSync(folder) || !statSync(folder).isDirectory()) {
      throw new PathNotFoundError(`There is no folder ${folder}.`, folder);
    }
    const port = wholeNumber(options, "port");
    const s3 = s3Environment(options, folder);
    if (process.getuid?.() === 0 && !options["allow-root"] && !rest.includes("--allow-root")) {
      throw new UsageError("Jupyter does not start as root unless told to.", {
        remedy: "--allow-root tells it to.",
      });
    }
    const python = jupyterPython();
    const { folder: kernel, changed } = await installKernelspec({ dataDir: dataDirOf(jupyterVenv()) });
    if (changed) note(`Registered the kernel in ${kernel}`);
    return serve(python, [
      // Ctrl-C is meant.
      ...["-m", "jupyterlab", "--ServerApp.answer_yes=True", `--ServerApp.root_dir=${folder}`],
      ...(port === undefined ? [] : [`--port=${port}`]),
      ...["no-browser", "allow-root"].filter((name) => options[name] === true).map((name) => `--${name}`),
      ...rest,
    ]);

    /**
     * Runs the server in the foreground. Ctrl-C in a terminal reaches it by itself; any other signal through us. It ends within {@link ENDS_WITHIN_MS}
     * then, else it is killed with its kernels; a second signal, which ends this process, does so at once.
     */
    async function serve(command: string, args: readonly string[]): Promise<number> {
      // JupyterLab's question whether to fetch news stands beside the first notebook: ours is answered.
      const config = [
        join(root, "kernel-ext", "jupyter"),
        join(jupyterSide, "jupyter"),
        process.env.JUPYTER_CONFIG_PATH,
      ];
      // The server's side of notebooks in S3 and of output that outlives its page, and the pages' of the latter, need no pip install of ours.
      const path = [join(jupyterSide, "src"), process.env.PYTHONPATH];
      const data = [join(jupyterSide, "jupyter"), process.env.JUPYTER_PATH];
      const lists = { JUPYTER_CONFIG_PATH: config, JUPYTER_PATH: data, PYTHONPATH: path };
      const joined = Object.entries(lists).map(([name, list]) => [name, list.filter(Boolean).join(delimiter)]);
      const env = { ...process.env, ...Object.fromEntries(joined), ...s3 };
      if (signal.aborted) return 0;
      const server = spawn(command, args, { stdio: "inherit", env });
      const timers: NodeJS.Timeout[] = [];
      const kill = () => server.pid !== undefined && killTree(server.pid);
      const stop = () => {
        server.kill("SIGTERM");
        const told = `The server saves and ends, which may take ${ENDS_WITHIN_MS / 1000} s; Ctrl-C ends it at once.`;
        timers.push(
          setTimeout(() => note(told), SAID_AFTER_MS),
          setTimeout(kill, ENDS_WITHIN_MS),
        );
      };
      signal.addEventListener("abort", stop, { once: true });
      process.once("exit", kill);
      try {
        const code = await new Promise<number | null>((done, fail) => server.on("exit", done).on("error", fail));
        return signal.aborted ? 0 : (code ?? 1);
      } finally {
        signal.removeEventListener("abort", stop);
        process.off("exit", kill);
        timers.forEach(clearTimeout);
      }
    }
  },
};

/** What tells the server where notebooks are kept; the file in the folder of the notebooks it finds by itself. */
function s3Environment(options: OptionValues, folder: string): Record<string, string> {
  const user: Record<string, string> =
    typeof options["s3-user"] === "string" ? { POMONA_S3_USER: options["s3-user"] } : {};
  const named = options["s3-conf"];
  if (typeof named !== "string") {
    const isElsewhere = process.env.POMONA_S3_CONF || existsSync(join(folder, CONF));
    const own = join(root, CONF);
    return !isElsewhere && existsSync(own) && isEnabled(own) ? { ...user, POMONA_S3_CONF: own } : user;
  }
  const file = resolve(named);
  if (!existsSync(file)) throw new PathNotFoundError(`There is no file ${file}.`, file);
  if (!isEnabled(file)) {
    throw new UsageError(`${file} says that notebooks are not kept in S3.`, {
      remedy: 'Set "s3.persistence.enabled" to "true" in it, and "s3.persistence.bucket" to the name of a bucket.',
    });
  }
  return { ...user, POMONA_S3_CONF: file };
}

/** Whether a file turns it on; what else is wrong with it the server says. */
function isEnabled(file: string): boolean {
  return !/"s3\.persistence\.enabled"\s*:\s*"?false/i.test(readFileSync(file, "utf8"));
}
