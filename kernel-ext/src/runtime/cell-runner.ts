import { AsyncResource } from "node:async_hooks";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { types } from "node:util";
import type { MimeBundle } from "pomona/kernel";
import { helpAsked, type MagicCell } from "../magics/parse";
import {
  type Content,
  type Converted,
  END_OF_RUN,
  type ErrorContent,
  type ExecuteContent,
  type ExecuteReply,
  type Header,
  type ResultPlace,
} from "../messages";
import { keepLatest } from "../oldest";
import { CellFailure, diagnosticsContent, errorContent, KeyboardInterrupt, placeError } from "./cell-error";
import type { Flows } from "./flows";
import type { Interrupts } from "./interrupts";
import type { Language } from "./language-client";
import type { LeftBehind } from "./left-behind";
import type { ModuleLoader } from "./module-loader";
import type { Output } from "./output";
import { isEmpty } from "./promise-state";
import { CELL_SCRIPT, registerSource } from "./source-registry";
import type { StaleMarks } from "./stale-marks";
import type { CellExecutor } from "./tslab-executor";

/** Runs cells, one at a time. */
export interface CellRunner {
  execute(request: ExecuteRequest): Promise<ExecuteReply>;
  /** Ends the cell that runs, if it is this one. */
  interrupt(execution: number): Promise<void>;
  /** Ends the cell that runs by an error, which what it waits for can't tell it. */
  fail(error: unknown): void;
  onCellEnd(listener: () => void): () => void;
  /** What names the cell of a request each time it runs; undefined for another request. */
  cellKey(request: string | undefined): string | undefined;
}

export interface ExecuteRequest {
  readonly header: Header;
  readonly execution: number;
  /** What the user sees: `In[count]`. */
  readonly count: number;
  readonly cellId?: string | undefined;
  readonly deletedCells?: readonly string[];
  readonly content: ExecuteContent;
}

export interface RunnerParts {
  readonly folder: string;
  readonly language: Language;
  readonly executor: CellExecutor;
  readonly modules: ModuleLoader;
  readonly output: Output;
  readonly interrupts: Interrupts;
  readonly left: LeftBehind;
  readonly flows: Flows;
  readonly marks: StaleMarks;
  parseMagic(source: string): MagicCell | undefined;
  /** @param runCell runs TypeScript as a part of the magic's cell, and calls `begun` once it is compiled */
  runMagic(
    magic: MagicCell,
    signal: AbortSignal,
    runCell: (source: string, begun?: () => void) => Promise<void>,
  ): Promise<void>;
  represent(value: unknown, options?: { readonly isBrief?: boolean }): Promise<MimeBundle>;
}

/** The value of a cell's last expression, and where that stands in its text. */
interface CellResult {
  readonly shown: unknown;
  readonly place: ResultPlace;
}

interface RunningCell {
  readonly execution: number;
  readonly count: number;
  /** What names the cell each time it runs. */
  readonly key: string;
  readonly content: ExecuteContent;
  readonly abort: AbortController;
  /** The variables that it sets, perhaps more. */
  readonly names: Set<string>;
  /** Rejects when the user's interrupt has been told to everyone. */
  readonly interrupted: Promise<never>;
  interrupt(error?: unknown): void;
}

export function cellRunner(parts: RunnerParts): CellRunner {
  const { folder, language, executor, modules, output, interrupts, left, flows, marks, represent } = parts;
  const listeners = new Set<() => void>();
  const keys = new Map<string, string>();
  let running: RunningCell | undefined;

  /** Compiles and runs TypeScript; gives the last expression's value. */
  const run = async (cell: RunningCell, source: string, { isExpression = false, begun = () => {} } = {}) => {
    const { execution, count } = cell;
    const compiled = await compile(cell, source).catch((error) => {
      if (!isExpression) language.notRun({ id: cell.key, source, why: whyNotRun(cell, error) });
      throw error;
    });
    if (compiled.kind === "module") return undefined;
    const name = isExpression ? undefined : register(count, source, compiled);
    begun();
    for (const [, variable = ""] of compiled.output?.matchAll(VARIABLE) ?? []) cell.names.add(variable);
    if (!isExpression) marks.running(source, compiled.uses);
    let hasFailed = true;
    try {
      const outcome = await orInterrupt(cell, executor.run({ ...compiled, output: scriptOf(compiled.output, name) }));
      if (outcome.status === "threw") throw outcome.error;
      hasFailed = false;
      return compiled.result && outcome.value ? { ...outcome.value, place: compiled.result } : undefined;
    } finally {
      const unchanged = executor.end(
        `In[${count}]`,
        cell.abort.signal.aborted ? "interrupted" : hasFailed ? "failed" : "done",
      );
      // Also after an error: what a cell had computed until then is what one wants to look at.
      if (!isExpression) {
        language.commit(execution, unchanged);
        marks.ran(unchanged);
      }
    }
  };

  /** Comes to what can be run at once. */
  const compile = async (cell: RunningCell, source: string) => {
    const compiled = await orInterrupt(cell, convert(cell, source));
    if (compiled.kind === "diagnostics") throw new CellFailure(failureOf(cell.count, source, compiled.diagnostics));
    if (compiled.kind === "code") await orInterrupt(cell, modules.preload(compiled.packages));
    return compiled;
  };

  const convert = async ({ execution, key, abort }: RunningCell, source: string) => {
    /** Packages take as long to load as their types to read, and both can be done at once. What fails is told when the cell runs. */
    const load = (packages: readonly string[]) => {
      if (!abort.signal.aborted) modules.preload(packages).catch(() => undefined);
    };
    const compiled = await language.convert(execution, source, key, AsyncResource.bind(load));
    // Also of a cell that was interrupted meanwhile: the compiler gives each version of a module once.
    if (compiled.kind !== "diagnostics") modules.update(compiled.modules);
    return compiled;
  };

  const failureOf = (count: number, source: string, found: Parameters<typeof diagnosticsContent>[0]): ErrorContent => {
    const readFile = (file: string) => {
      try {
        return readFileSync(join(folder, file), "utf8");
      } catch {
        return undefined;
      }
    };
    return diagnosticsContent(found, { shown: `In[${count}]`, source }, readFile);
  };

  const runText = async (cell: RunningCell): Promise<readonly Content[]> => {
    const { code, silent } = cell.content;
    if (silent && code === END_OF_RUN) {
      await orInterrupt(cell, left.endAll());
      return [];
    }
    const asked = helpAsked(code);
    if (asked !== undefined) return [await helpPage(language, asked)];
    const magic = parts.parseMagic(code);
    if (magic) {
      await orInterrupt(
        cell,
        parts.runMagic(magic, cell.abort.signal, (source, begun) => runSource(cell, source, begun)),
      );
      return [];
    }
    const value = await run(cell, code);
    if (value && !silent) await show(cell, code, value);
    return [];
  };

  const runSource = async (cell: RunningCell, source: string, begun = () => {}) => {
    // A magic may go on after its cell was interrupted, when another one runs already.
    cell.abort.signal.throwIfAborted();
    const value = await run(cell, source, { begun });
    if (value) await show(cell, source, value);
  };

  const show = async (cell: RunningCell, source: string, { shown, place }: CellResult) => {
    if (await orInterrupt(cell, isDone(shown))) return;
    const isBrief = place.isBrief === true;
    // `df.unpersist()` without `await` gives a promise.
    const looked = (
      isBrief ? Promise.resolve(shown).then((value) => represent(value, { isBrief })) : represent(shown)
    ).catch((error) => {
      // A DataFrame fails when it is looked at, long after the code that made it.
      placeError(error, { source: { shown: `In[${cell.count}]`, source }, ...place });
      throw error;
    });
    const data = await orInterrupt(cell, looked);
    output.iopub("execute_result", { execution_count: cell.count, data, metadata: {} });
  };

  const expressions = async (cell: RunningCell): Promise<Content> => {
    const results: Record<string, Content> = {};
    for (const [name, expression] of Object.entries(cell.content.user_expressions)) {
      try {
        const value = await run(cell, `(${expression}\n)`, { isExpression: true });
        results[name] = { status: "ok", data: await represent(value?.shown), metadata: {} };
      } catch (error) {
        results[name] = { status: "error", ...errorContent(error) };
      }
    }
    return results;
  };

  const execute = async (request: ExecuteRequest): Promise<ExecuteReply> => {
    const { header, execution, count, cellId, content } = request;
    const key = cellId ?? content.code;
    keys.set(header.msg_id, key);
    keepLatest(keys, MOST_KEYS);
    const cell = startCell(execution, count, key, content);
    running = cell;
    left.begin(header.msg_id, count);
    marks.begin(request);
    let hasFailed = true;
    try {
      const payload = await runText(cell);
      // A cell may come to its end before it notices.
      interrupts.check(execution);
      await orInterrupt(cell, left.end(header.msg_id, cell.names));
      const user_expressions = await expressions(cell);
      hasFailed = false;
      return { status: "ok", execution_count: count, user_expressions, payload };
    } catch (error) {
      left.fail(header.msg_id, error);
      // A child process that the interrupt ended fails its call before this thread hears of it.
      const failure = errorContent(error, cell.abort.signal.aborted || interrupts.isInterrupted(execution));
      if (failure.ename === "KeyboardInterrupt") modules.forgetUnfinished();
      if (!content.silent) output.iopub("error", { ...failure });
      return { status: "error", execution_count: count, ...failure };
    } finally {
      const told = marks.end(hasFailed);
      if (told !== undefined) process.stderr.write(told);
      running = undefined;
      for (const listener of listeners) {
        try {
          listener();
        } catch (error) {
          console.error(error);
        }
      }
    }
  };

  return {
    execute: (request) => output.within(request.header, () => flows.within(request.execution, () => execute(request))),
    async interrupt(execution) {
      const cell = running;
      interrupts.heard();
      // What a cell left running is stopped too.
      if (cell?.execution !== execution) return flows.end(execution);
      cell.abort.abort(new KeyboardInterrupt());
      await interrupts.tell(execution);
      // It may have ended by then, and the next one begun.
      if (running === cell) executor.interrupt();
      cell.interrupt();
    },
    fail(error) {
      executor.interrupt();
      running?.interrupt(error);
    },
    cellKey: (request) => keys.get(request ?? ""),
    onCellEnd(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Requests whose cells are remembered. */
const MOST_KEYS = 1_000;

/** A variable in the text of a compiled cell. */
const VARIABLE = /\b__([\p{L}\p{N}_$]+)\.now\b/gu;

function startCell(execution: number, count: number, key: string, content: ExecuteContent): RunningCell {
  let interrupt: RunningCell["interrupt"] = () => {};
  const interrupted = new Promise<never>((_, reject) => {
    interrupt = (error = new KeyboardInterrupt()) => reject(error);
  });
  interrupted.catch(() => undefined);
  const abort = new AbortController();
  return { execution, count, key, content, abort, names: new Set(), interrupted, interrupt };
}

/** For names of a cell that failed before its first line. */
function whyNotRun({ count, abort }: RunningCell, error: unknown): string {
  if (error instanceof CellFailure) return `In[${count}], which could not be compiled`;
  return `In[${count}], which ${abort.signal.aborted ? "was interrupted" : "failed"} before its first line`;
}

function orInterrupt<T>(cell: RunningCell, work: Promise<T>): Promise<T> {
  return Promise.race([work, cell.interrupted]);
}

/** True for the promise of something that was done and gives no value, such as `display(x)` without `await`. */
async function isDone(value: unknown): Promise<boolean> {
  if (!types.isPromise(value)) return false;
  await new Promise((done) => setImmediate(done));
  return isEmpty(value);
}

let scripts = 0;

/** Makes the cell known to stack traces. @returns the name of its script */
function register(count: number, source: string, compiled: Extract<Converted, { kind: "code" }>): string {
  const name = `${CELL_SCRIPT}${++scripts}`;
  registerSource(name, {
    shown: `In[${count}]`,
    maps: compiled.maps,
    // The function's head that tslab puts before, which is the first line of the script.
    linesBefore: 1,
    source,
    compiled: compiled.output ?? "",
    isCell: true,
  });
  return name;
}

/** Compiled code as a script that V8 knows by a name, with its columns unmoved by what tslab puts before. */
function scriptOf(output: string | undefined, name: string | undefined): string | undefined {
  if (output === undefined || name === undefined) return output;
  return `\n${output}\n//# sourceURL=${name}`;
}

async function helpPage(language: Language, name: string): Promise<Content> {
  const { data } = (await language.inspect(name, [...name].length)) as { data?: MimeBundle };
  const found = data && Object.keys(data).length > 0;
  return { source: "page", data: found ? data : { "text/plain": `There is nothing named ${name} here.` }, start: 0 };
}
