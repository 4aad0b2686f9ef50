import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { type Cells, openCells } from "../../kernel-ext/src/language/cells";
import { type Converted, type Diagnostic, STOP_SLOTS } from "../../kernel-ext/src/messages";
import { interruptibleFlows } from "../../kernel-ext/src/runtime/flows";
import { functionOrigin } from "../../kernel-ext/src/runtime/function-origin";
import { moduleLoader } from "../../kernel-ext/src/runtime/module-loader";
import { registerSource } from "../../kernel-ext/src/runtime/source-registry";
import type { StaleMarks } from "../../kernel-ext/src/runtime/stale-marks";
import { type CellExecutor, cellExecutor } from "../../kernel-ext/src/runtime/tslab-executor";
import { connectKernel, type KernelHost } from "../../src/kernel";

export const packageRoot = resolve(__dirname, "../..");

const PRELUDE = join(packageRoot, "kernel-ext", "prelude.d.ts");

export type Code = Extract<Converted, { kind: "code" }>;

/** A notebook's cells in a folder of their own, compiled by the language thread's parts and run by tslab's executor. */
export interface Notebook {
  readonly folder: string;
  readonly cells: Cells;
  /** Writes a file by its path from the notebook's folder. */
  write(path: string, text: string): void;
  /** Compiles a cell and, if it compiles, puts its declarations into scope. */
  compile(source: string): Converted;
  /** Compiles what has no errors. */
  code(source: string): Code;
  errors(source: string): readonly Diagnostic[];
  /** Runs a cell and gives its last expression's value. */
  run(source: string, marks?: Pick<StaleMarks, "running" | "ran">): Promise<unknown>;
  lookUp: CellExecutor["lookUp"];
  /** Runs what was compiled. */
  execute(code: Code): Promise<unknown>;
  importOf: KernelHost["importOf"];
}

export interface NotebookOptions {
  readonly prelude?: string;
  /** Files that are there before the kernel starts, by their paths from the notebook's folder. */
  readonly files?: Readonly<Record<string, string>>;
}

export function openNotebook({ prelude = PRELUDE, files = {} }: NotebookOptions = {}): Notebook {
  const folder = join(realpathSync(mkdtempSync(join(tmpdir(), "pomona-cells-"))), "notebooks");
  mkdirSync(folder);
  const write = (path: string, text: string) => {
    const file = resolve(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  for (const [path, text] of Object.entries(files)) write(path, text);
  const cells = openCells({ cwd: folder, prelude, packageRoot });
  let execution = 0;
  let unchanged: readonly string[] = [];
  const convert = (source: string) => cells.convert(++execution, source);
  const compile = (source: string) => {
    const result = convert(source);
    cells.commit(execution);
    return result;
  };
  const code = (source: string, make = compile): Code => {
    const result = make(source);
    if (result.kind === "code") return result;
    throw new Error(`${source}\n${JSON.stringify(result, undefined, 1)}`);
  };
  const { execute, importOf, lookUp } = executor(folder, (names) => {
    unchanged = names;
  });
  return {
    folder,
    cells,
    write,
    compile,
    code: (source) => code(source),
    errors(source) {
      const result = compile(source);
      return result.kind === "diagnostics" ? result.diagnostics : [];
    },
    async run(source, marks) {
      const made = code(source, convert);
      unchanged = [];
      marks?.running(source, made.uses);
      try {
        return await execute(made);
      } finally {
        cells.commit(execution, unchanged);
        marks?.ran(unchanged);
      }
    },
    lookUp,
    execute,
    importOf,
  };
}

/** A notebook whose functions the package can trace to their cells, as in the kernel. */
export interface ConnectedNotebook {
  readonly folder: string;
  /** Runs a cell and gives its last expression's value; what it throws is thrown. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the cell says
  run(source: string): Promise<any>;
  /** The name of the cell that ran last, such as `In[3]`. */
  readonly lastCell: string;
  close(): void;
}

/** Opens a notebook, whose folder becomes the current one until it is closed, and is the kernel of this process. */
export function connectNotebook(options: NotebookOptions = {}): ConnectedNotebook {
  const home = process.cwd();
  const notebook = openNotebook(options);
  const disconnect = connectKernel({ functionOrigin, importOf: notebook.importOf } as KernelHost);
  process.chdir(notebook.folder);
  let count = 0;
  return {
    folder: notebook.folder,
    run(source) {
      const code = notebook.code(source);
      registerSource(`${notebook.folder}:${++count}`, {
        shown: `In[${count}]`,
        maps: code.maps,
        linesBefore: 1,
        source,
        compiled: code.output ?? "",
        isCell: true,
      });
      return notebook.execute(code);
    },
    get lastCell() {
      return `In[${count}]`;
    },
    close() {
      disconnect();
      process.chdir(home);
    },
  };
}

/** tslab's executor with the notebook's modules, as the kernel runs it. */
function executor(
  folder: string,
  ended: (unchanged: readonly string[]) => void,
): Pick<Notebook, "execute" | "importOf" | "lookUp"> {
  const modules = moduleLoader(folder);
  const made = cellExecutor(folder, modules.requireFromCell);
  const { guard } = interruptibleFlows(new Int32Array(STOP_SLOTS));
  const { __tslab__ } = globalThis as { __tslab__?: object };
  const execute = async (code: Code) => {
    Object.assign(globalThis, { __tslab__, __stop__: guard, __import__: modules.importFrom });
    modules.update(code.modules);
    await modules.preload(code.packages);
    const outcome = await made.run(code);
    ended(made.end("a cell", outcome.status === "threw" ? "failed" : "done"));
    if (outcome.status === "threw") throw outcome.error;
    return outcome.value?.shown;
  };
  return { execute, importOf: made.importOf, lookUp: made.lookUp };
}
