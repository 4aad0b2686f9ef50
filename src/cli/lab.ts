import { spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { PathNotFoundError } from "../storage";
import { type Command, SHARED_OPTIONS, UsageError, wholeNumber } from "./command";
import { dataDirOf, jupyterPython, jupyterVenv } from "./jupyter-paths";
import { installKernelspec } from "./kernelspec";

/** `pomona lab [DIR]`: JupyterLab with the kernel in it. */
export const lab: Command = {
  name: "lab",
  about: "Open JupyterLab on a folder of notebooks; Ctrl-C ends it.",
  positionals: ["[DIR]"],
  rest: "[-- options for jupyter lab]",
  options: {
    port: { type: "string", value: "N", about: "the port to listen on (default: 8888, or the next that is free)" },
    "no-browser": { type: "boolean", about: "only print the address" },
    "allow-root": { type: "boolean", about: "start as root too, as in a container" },
    help: SHARED_OPTIONS.help,
  },
  examples: ["pomona lab", "pomona lab ~/my-notebooks --port 9999", "pomona lab --no-browser -- --ip=0.0.0.0"],
  async run({ positionals, options, rest, signal, note }) {
    const folder = resolve(positionals[0] ?? join(__dirname, "..", "..", "notebooks"));
    if (!existsSync(folder) || !statSync(folder).isDirectory()) {
      throw new PathNotFoundError(`There is no folder ${folder}.`, folder);
    }
    const port = wholeNumber(options, "port");
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

    /** Runs the server in the foreground. Ctrl-C in a terminal reaches it by itself; any other signal through us. */
    async function serve(command: string, args: readonly string[]): Promise<number> {
      // JupyterLab's question whether to fetch news stands beside the first notebook: ours is answered.
      const config = [join(__dirname, "..", "..", "kernel-ext", "jupyter"), process.env.JUPYTER_CONFIG_PATH];
      const env = { ...process.env, JUPYTER_CONFIG_PATH: config.filter(Boolean).join(delimiter) };
      const server = spawn(command, args, { stdio: "inherit", env });
      const stop = () => server.kill("SIGTERM");
      signal.addEventListener("abort", stop, { once: true });
      try {
        const code = await new Promise<number | null>((done, fail) => server.on("close", done).on("error", fail));
        return signal.aborted ? 0 : (code ?? 1);
      } finally {
        signal.removeEventListener("abort", stop);
      }
    }
  },
};
