import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { CancelledError } from "../errors";
import { PathNotFoundError } from "../storage";
import { makeFolder } from "../storage/folders";
import { localPath, schemeOf } from "../storage/location";
import type { Place } from "../storage/storage";
import { ABOUT } from "./abouts";
import { cellName, checkOrder } from "./check-order";
import { type Command, type CommandContext, SHARED_OPTIONS, UsageError, wholeNumber } from "./command";
import { executeNotebook, failureText, NotebookFailedError } from "./execute-notebook";
import { HTML_PRIORITY } from "./html-priority";
import { jupyterPython } from "./jupyter-paths";
import { checkOutput, deliver, htmlOf } from "./notebook-output";
import { type Notebook, parseNotebook, withParameters } from "./notebook-parameters";
import { progressLine } from "./progress-line";
import { storagesForCommand } from "./session-for";

/** `pomona run NOTEBOOK [OUT]`: executes a notebook without a browser; or, with `--check-order`, looks at one that was executed. */
export const run: Command = {
  name: "run",
  about: ABOUT.run,
  positionals: ["NOTEBOOK", "[OUT]"],
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
    conf: {
      ...SHARED_OPTIONS.conf,
      about: "how S3 is reached for NOTEBOOK and OUT, such as fs.s3a.endpoint=…; may come again",
    },
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
    "pomona run s3://bucket/in.ipynb s3://bucket/out.ipynb",
    "",
    "Of a notebook in S3 the notebook alone comes: it runs in the current folder, and files beside it in S3 stay there.",
  ],
  async run(context) {
    const { positionals, options, signal } = context;
    const storages = storagesForCommand(context);
    const from = storages.at(positionals[0] ?? "");
    if (options["check-order"]) return runCheck(context, from);
    const source = shownPath(from);
    if (positionals[1] !== undefined && options.output !== undefined)
      throw new UsageError("The output is named twice, as the second argument and with --output.");
    const to = storages.at(positionals[1] ?? (options.output as string | undefined) ?? join("out", basename(source)));
    const timeout = wholeNumber(options, "timeout") ?? 3600;
    const defaults = await notebookAt(from);
    // Before the work rather than after it.
    await checkOutput(to);
    const python = jupyterPython();
    const given = {
      typed: (options.parameter as string[] | undefined) ?? [],
      raw: (options["raw-parameter"] as string[] | undefined) ?? [],
    };
    const notebook = withParameters(defaults, given, python);
    const scratch = await mkdtemp(join(tmpdir(), "pomona-run-"));
    const started = Date.now();
    let written: readonly string[];
    try {
      const input = join(scratch, basename(source));
      await writeFile(input, JSON.stringify(notebook));
      const isHere = schemeOf(to.url) === "file";
      const output = isHere ? localPath(to.url) : join(scratch, "executed", basename(to.url));
      await makeFolder(dirname(output));
      const line = progressLine(basename(source), options.quiet === true);
      const folder = schemeOf(from.url) === "file" ? dirname(localPath(from.url)) : process.cwd();
      if (schemeOf(from.url) !== "file")
        context.note(`The notebook runs in ${folder}; what lies beside it in S3 is not there.`);
      const job = { input, output, folder, timeout };
      const { failure, log } = await executeNotebook(python, job, signal, line.update);
      line.end();
      const inWords = failure && failureText(failure, source, log, hasColours());
      // The notebook is kept with the failing cell's error in it, so the HTML is worth having then too.
      if (options.html && !signal.aborted) await toHtml(python, output, signal);
      // Signed, so that JupyterLab shows its plots without asking.
      if (isHere && !signal.aborted) await jupyter(python, ["trust", output], signal);
      written = isHere
        ? [output, ...(options.html ? [htmlOf(output)] : [])]
        : await deliver(output, to, options.html === true && !signal.aborted).catch((error: unknown) => {
            if (inWords) context.note(inWords);
            throw error;
          });
      if (signal.aborted) {
        if (inWords) context.note(`${inWords}\nThe notebook up to there: ${written[0]}`);
        throw new CancelledError("Cancelled.");
      }
      if (inWords)
        throw new NotebookFailedError(inWords, { remedy: `The notebook with the error in it: ${written[0]}` });
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
    const seconds = (Date.now() - started) / 1000;
    const [output, html] = written;
    if (options.json) context.print(JSON.stringify({ output, ...(html ? { html } : {}), seconds }));
    else context.print(`Executed in ${seconds.toFixed(1)} s: ${written.join(", ")}`);
    return 0;
  },
};

/** Exit code 1 where the outputs can't come from a run from top to bottom, with the reasons, one a line. */
async function runCheck({ positionals, options, print }: CommandContext, from: Place): Promise<number> {
  const source = shownPath(from);
  const useless = ["parameter", "raw-parameter", "output", "html"].filter((name) => options[name]);
  if (useless.length > 0 || positionals.length > 1) {
    const names = [...useless.map((name) => `--${name}`), ...positionals.slice(1)].join(", ");
    throw new UsageError(`--check-order executes nothing, so ${names} has no meaning beside it.`);
  }
  const check = checkOrder(await notebookAt(from), source);
  const { problems, ran, missing } = check;
  if (options.json) print(JSON.stringify({ notebook: source, isInOrder: problems.length === 0, ...check }));
  else if (problems.length > 0) print(problems.map((each) => `${cellName(each)} ${each.problem}`).join("\n"));
  else print(`${inOrder(basename(source), ran, missing)} Nothing was executed.`);
  return problems.length > 0 ? 1 : 0;
}

/** A local path as such, anything else as its URL. */
function shownPath({ url }: Place): string {
  return schemeOf(url) === "file" ? localPath(url) : url;
}

async function notebookAt({ storage, url }: Place): Promise<Notebook> {
  const path = shownPath({ storage, url });
  const there = await storage.stat(url);
  if (there === undefined || there === "folder") throw new PathNotFoundError(`There is no notebook ${path}.`, path);
  return parseNotebook(Buffer.from(await storage.readFile(url)).toString("utf8"), path);
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
