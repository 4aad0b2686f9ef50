import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { CancelledError, PomonaError } from "../errors";
import { PathNotFoundError } from "../storage";
import { type Command, SHARED_OPTIONS, wholeNumber } from "./command";
import { parseNotebook, withParameters } from "./notebook-parameters";
import { progressLine } from "./progress-line";

/** There is no Jupyter to execute notebooks with. */
export class JupyterMissingError extends PomonaError {}

/** A cell of the notebook failed; the message is its error. */
export class NotebookFailedError extends PomonaError {}

/** `pomona run NOTEBOOK`: executes a notebook without a browser. */
export const run: Command = {
  name: "run",
  about: "Execute a notebook from the first cell to the last, with parameters.",
  positionals: ["NOTEBOOK"],
  options: {
    parameter: {
      type: "string",
      short: "p",
      value: "NAME VALUE",
      multiple: true,
      pair: true,
      about: "set a variable of the cell tagged parameters; paths are taken from the notebook's folder",
    },
    output: { type: "string", short: "o", value: "OUT", about: "the executed notebook (default: out/ and its name)" },
    html: { type: "boolean", about: "also an HTML copy beside it, which shows plots and pictures without a network" },
    timeout: { type: "string", value: "SECONDS", default: "3600", about: "most a cell may take" },
    json: SHARED_OPTIONS.json,
    quiet: SHARED_OPTIONS.quiet,
    help: SHARED_OPTIONS.help,
  },
  examples: [
    "pomona run notebooks/workflow.ipynb --html",
    "pomona run notebooks/workflow.ipynb -p n 1000 -p output /data/results -o out/big.ipynb",
  ],
  async run(context) {
    const { positionals, options, signal } = context;
    const source = resolve(positionals[0] ?? "");
    const output = resolve(typeof options.output === "string" ? options.output : join("out", basename(source)));
    const timeout = wholeNumber(options, "timeout") ?? 3600;
    if (!existsSync(source)) throw new PathNotFoundError(`There is no notebook ${source}.`, source);
    const notebook = withParameters(
      parseNotebook(await readFile(source, "utf8"), source),
      (options.parameter as string[] | undefined) ?? [],
    );
    const python = jupyterPython();
    const scratch = await mkdtemp(join(tmpdir(), "pomona-run-"));
    const started = Date.now();
    try {
      const input = join(scratch, basename(source));
      await writeFile(input, JSON.stringify(notebook));
      await mkdir(dirname(output), { recursive: true });
      const line = progressLine(basename(source), options.quiet === true);
      const failure = await execute(python, { input, output, folder: dirname(source), timeout }, signal, line.update);
      line.end();
      // The notebook is kept with the failing cell's error in it, so the HTML is worth having then too.
      if (options.html) await jupyter(python, ["nbconvert", "--to", "html", "--log-level", "ERROR", output], signal);
      // Signed, so that JupyterLab shows its plots without asking.
      await jupyter(python, ["trust", output], signal);
      if (failure) {
        throw new NotebookFailedError(failure, { remedy: `The notebook with the error in it: ${output}` });
      }
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
    const seconds = (Date.now() - started) / 1000;
    const html = options.html ? output.replace(/(\.ipynb)?$/, ".html") : undefined;
    if (options.json) context.print(JSON.stringify({ output, ...(html ? { html } : {}), seconds }));
    else context.print(`Executed in ${seconds.toFixed(1)} s: ${[output, html].filter(Boolean).join(", ")}`);
    return 0;
  },
};

/** The Python of the set-up's `.venv`, or of `POMONA_VENV`. @throws JupyterMissingError */
export function jupyterPython(): string {
  const root = join(__dirname, "..", "..");
  const venv = process.env.POMONA_VENV ?? join(root, ".venv");
  const python = join(venv, "bin", "python");
  if (existsSync(python)) return python;
  throw new JupyterMissingError(`There is no Jupyter in ${venv}.`, {
    remedy: "Run npm run setup, or name a virtual environment with Jupyter in POMONA_VENV.",
  });
}

interface Execution {
  readonly input: string;
  readonly output: string;
  /** The notebook's own folder, which the kernel works in. */
  readonly folder: string;
  readonly timeout: number;
}

/**
 * Runs a notebook by nbclient, writing one line of JSON a cell to standard output. The notebook is saved whatever
 * happens, as nbconvert and papermill do not.
 */
const EXECUTE = `
import json, signal, sys
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

def stop(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGTERM, stop)
job = json.loads(sys.argv[1])
notebook = nbformat.read(job["input"], as_version=4)
code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
tell = lambda **event: print(json.dumps(event), flush=True)

def started(cell, cell_index):
    tell(done=sum(i < cell_index for i in code), total=len(code))

client = NotebookClient(notebook, timeout=job["timeout"], resources={"metadata": {"path": job["folder"]}}, on_cell_start=started)
failure = None
try:
    client.execute()
except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
    failure = str(error)
finally:
    nbformat.write(notebook, job["output"])
tell(done=len(code), total=len(code), failure=failure)
`;

/** Returns the error of the cell that failed, if one did. */
async function execute(
  python: string,
  job: Execution,
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void,
): Promise<string | undefined> {
  const child = spawn(python, ["-c", EXECUTE, JSON.stringify(job)], { stdio: ["ignore", "pipe", "pipe"] });
  const onAbort = () => child.kill("SIGTERM");
  signal.addEventListener("abort", onAbort, { once: true });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  let failure: string | undefined;
  const read = (async () => {
    for await (const text of createInterface({ input: child.stdout })) {
      if (!text.startsWith("{")) continue;
      const event = JSON.parse(text) as { done: number; total: number; failure?: string | null };
      onProgress(event.done, event.total);
      failure = event.failure ?? undefined;
    }
  })();
  const code = await new Promise<number | null>((done) => child.on("close", done));
  await read;
  signal.removeEventListener("abort", onAbort);
  if (signal.aborted) throw new CancelledError("Cancelled.");
  if (code !== 0) throw new NotebookFailedError(`The notebook could not be executed:\n${errors.trim()}`);
  return failure;
}

async function jupyter(python: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  const child = spawn(python, ["-m", "jupyter", ...args], { stdio: ["ignore", "ignore", "pipe"], signal });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const code = await new Promise<number | null>((done, fail) => child.on("close", done).on("error", fail));
  if (code !== 0) throw new NotebookFailedError(`jupyter ${args.join(" ")} failed:\n${errors.trim()}`);
}
