import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { CancelledError } from "../errors";
import { PathNotFoundError } from "../storage";
import { makeFolder } from "../storage/folders";
import { cellName, checkOrder } from "./check-order";
import { type Command, type CommandContext, SHARED_OPTIONS, UsageError, wholeNumber } from "./command";
import { executeNotebook, failureText, NotebookFailedError } from "./execute-notebook";
import { HTML_PRIORITY } from "./html-priority";
import { jupyterPython } from "./jupyter-paths";
import { parseNotebook, withParameters } from "./notebook-parameters";
import { progressLine } from "./progress-line";

/** `pomona run NOTEBOOK`: executes a notebook without a browser; or, with `--check-order`, looks at one that was executed. */
export const run: Command = {
  name: "run",
  about: "Execute a notebook from the first cell to the last, with parameters; or check a saved one's order.",
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
    "raw-parameter": {
      type: "string",
      short: "r",
      value: "NAME VALUE",
      multiple: true,
      pair: true,
      about: "the same, with a value that is text even where it looks like a number",
    },
    output: { type: "string", short: "o", value: "OUT", about: "the executed notebook (default: out/ and its name)" },
    html: { type: "boolean", about: "also an HTML copy beside it, which shows plots and pictures without a network" },
    "check-order": {
      type: "boolean",
      about: "execute nothing: tell whether the saved outputs can come from running the cells from top to bottom",
    },
    timeout: { type: "string", value: "SECONDS", default: "3600", about: "most a cell may take" },
    json: SHARED_OPTIONS.json,
    quiet: SHARED_OPTIONS.quiet,
    help: SHARED_OPTIONS.help,
  },
  examples: [
    "pomona run notebooks/workflow.ipynb --html",
    "pomona run notebooks/workflow.ipynb -p n 1000 -p output /data/results -o out/big.ipynb",
    "pomona run notebooks/workflow.ipynb --check-order",
  ],
  async run(context) {
    const { positionals, options, signal } = context;
    const source = resolve(positionals[0] ?? "");
    if (options["check-order"]) return runCheck(context, source);
    const output = resolve(typeof options.output === "string" ? options.output : join("out", basename(source)));
    const timeout = wholeNumber(options, "timeout") ?? 3600;
    if (!existsSync(source)) throw new PathNotFoundError(`There is no notebook ${source}.`, source);
    const defaults = parseNotebook(await readFile(source, "utf8"), source);
    const python = jupyterPython();
    const given = {
      typed: (options.parameter as string[] | undefined) ?? [],
      raw: (options["raw-parameter"] as string[] | undefined) ?? [],
    };
    const notebook = withParameters(defaults, given, python);
    const scratch = await mkdtemp(join(tmpdir(), "pomona-run-"));
    const started = Date.now();
    try {
      const input = join(scratch, basename(source));
      await writeFile(input, JSON.stringify(notebook));
      await makeFolder(dirname(output));
      const line = progressLine(basename(source), options.quiet === true);
      const job = { input, output, folder: dirname(source), timeout };
      const { failure, log } = await executeNotebook(python, job, signal, line.update);
      line.end();
      const inWords = failure && failureText(failure, source, log, hasColours());
      if (signal.aborted) {
        if (inWords) context.note(`${inWords}\nThe notebook up to there: ${output}`);
        throw new CancelledError("Cancelled.");
      }
      // The notebook is kept with the failing cell's error in it, so the HTML is worth having then too.
      if (options.html) await toHtml(python, output, signal);
      // Signed, so that JupyterLab shows its plots without asking.
      await jupyter(python, ["trust", output], signal);
      if (inWords) throw new NotebookFailedError(inWords, { remedy: `The notebook with the error in it: ${output}` });
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

/** Exit code 1 where the outputs can't come from a run from top to bottom, with the reasons, one a line. */
async function runCheck({ options, print }: CommandContext, source: string): Promise<number> {
  const useless = ["parameter", "raw-parameter", "output", "html"].filter((name) => options[name]);
  if (useless.length > 0) {
    const names = useless.map((name) => `--${name}`).join(", ");
    throw new UsageError(`--check-order executes nothing, so ${names} has no meaning beside it.`);
  }
  if (!existsSync(source)) throw new PathNotFoundError(`There is no notebook ${source}.`, source);
  const check = checkOrder(parseNotebook(await readFile(source, "utf8"), source), source);
  const { problems, ran, missing } = check;
  if (options.json) print(JSON.stringify({ notebook: source, isInOrder: problems.length === 0, ...check }));
  else if (problems.length > 0) print(problems.map((each) => `${cellName(each)} ${each.problem}`).join("\n"));
  else print(`${inOrder(basename(source), ran, missing)} Nothing was executed.`);
  return problems.length > 0 ? 1 : 0;
}

function inOrder(name: string, ran: number, missing: number): string {
  if (ran === 0) return `${name} has no outputs of cells that ran, and its names are used in order.`;
  const cells = ran === 1 ? "The outputs of the cell that ran" : `The outputs of the ${ran} cells that ran`;
  const gaps = missing === 0 ? "" : ` (${missing} more ran that are no more, or ran again)`;
  return `${cells} in ${name} can come from running it from top to bottom${gaps}.`;
}

function toHtml(python: string, notebook: string, signal: AbortSignal): Promise<void> {
  const priority = `--${HTML_PRIORITY.setting}=${JSON.stringify(HTML_PRIORITY.types)}`;
  return jupyter(python, ["nbconvert", "--to", "html", "--log-level", "ERROR", priority, notebook], signal);
}

const hasColours = () => process.stderr.isTTY === true && !process.env.NO_COLOR;

async function jupyter(python: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  const child = spawn(python, ["-m", "jupyter", ...args], { stdio: ["ignore", "ignore", "pipe"], signal });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const code = await new Promise<number | null>((done, fail) => child.on("close", done).on("error", fail));
  if (code !== 0) throw new NotebookFailedError(`jupyter ${args.join(" ")} failed:\n${errors.trim()}`);
}
