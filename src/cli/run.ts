import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
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
import {
  type Command,
  type CommandContext,
  NotebookNotSavedError,
  SHARED_OPTIONS,
  UsageError,
  wholeNumber,
} from "./command";
import { executeNotebook, failureText, NotebookFailedError } from "./execute-notebook";
import { HTML_PRIORITY } from "./html-priority";
import { jupyterPython } from "./jupyter-paths";
import { checkOutput, type Delivery, deliver, htmlOf, keptHere, shownPath } from "./notebook-output";
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
    let delivery: Delivery | undefined;
    let failed: NotebookFailedError | undefined;
    try {
      const input = join(scratch, basename(source));
      await writeFile(input, JSON.stringify(notebook));
      const isHere = schemeOf(to.url) === "file";
      const spare = join(scratch, "executed", basename(to.url));
      const output = isHere ? localPath(to.url) : spare;
      for (const path of [spare, output]) await makeFolder(dirname(path));
      const line = progressLine(basename(source), options.quiet === true);
      const folder = schemeOf(from.url) === "file" ? dirname(localPath(from.url)) : process.cwd();
      if (schemeOf(from.url) !== "file")
        context.note(`The notebook runs in ${folder}; what lies beside it in S3 is not there.`);
      const job = { input, output, spare, folder, timeout };
      const { failure, log, unwritten } = await executeNotebook(python, job, signal, line.update);
      line.end();
      const inWords = failure && failureText(failure, source, log, hasColours());
      if (inWords) failed = new NotebookFailedError(inWords);
      // It was ended before it could save.
      if (signal.aborted && !existsSync(unwritten === undefined ? output : spare))
        throw new CancelledError("Cancelled.");
      if (unwritten !== undefined) delivery = { kind: "kept", path: await keptHere(spare), why: unwritten };
      else {
        if (signal.aborted && !isHere)
          context.note(`What ran is written to ${to.url}; until then it is here: ${output}`);
        // The notebook is kept with the failing cell's error in it, so the HTML is worth having then too.
        const made = signal.aborted ? undefined : await beside(python, output, options.html === true, isHere, signal);
        delivery = isHere
          ? {
              kind: "written",
              paths: [output, ...(options.html && existsSync(htmlOf(output)) ? [htmlOf(output)] : [])],
            }
          : await deliver(output, to, signal);
        failed ??= made;
      }
    } finally {
      // What could be kept nowhere else stays there.
      if (delivery?.kind !== "kept" || !isBelow(delivery.path, scratch))
        await rm(scratch, { recursive: true, force: true });
    }
    if (delivery.kind === "kept") {
      const what = `The executed notebook is not saved at ${shownPath(to)}: ${delivery.why}`;
      throw new NotebookNotSavedError(failed ? `${failed.message}\n${what}` : what, {
        remedy: `It is kept here: ${delivery.path}`,
      });
    }
    const written = delivery.paths;
    if (signal.aborted) {
      if (failed) context.note(`${failed.message}\nThe notebook up to there: ${written[0]}`);
      throw new CancelledError("Cancelled.");
    }
    if (failed)
      throw new NotebookFailedError(failed.message, { remedy: `The notebook with the error in it: ${written[0]}` });
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

async function notebookAt({ storage, url }: Place): Promise<Notebook> {
  const path = shownPath({ url });
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

/**
 * Makes what lies beside an executed notebook, and signs it, so that JupyterLab shows its plots without asking.
 * @returns why that failed, which is no reason to lose the notebook
 */
async function beside(
  python: string,
  output: string,
  html: boolean,
  isHere: boolean,
  signal: AbortSignal,
): Promise<NotebookFailedError | undefined> {
  try {
    if (html) await toHtml(python, output, signal);
    if (isHere) await jupyter(python, ["trust", output], signal);
  } catch (error) {
    if (error instanceof NotebookFailedError) return error;
    if (!signal.aborted) throw error;
  }
  return undefined;
}

const isBelow = (path: string, folder: string) => path.startsWith(`${folder}/`);

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
