import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { type Cells, openCells } from "../../kernel-ext/src/language/cells";
import type { Converted, Diagnostic } from "../../kernel-ext/src/messages";

export const packageRoot = resolve(__dirname, "../..");

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
  run(source: string): Promise<unknown>;
}

export function openNotebook(prelude = join(packageRoot, "kernel-ext", "prelude.d.ts")): Notebook {
  const folder = join(realpathSync(mkdtempSync(join(tmpdir(), "pomona-cells-"))), "notebooks");
  mkdirSync(folder);
  const cells = openCells({ cwd: folder, prelude, packageRoot });
  let execution = 0;
  const compile = (source: string) => {
    const result = cells.convert(++execution, source);
    cells.commit(execution);
    return result;
  };
  const code = (source: string): Code => {
    const result = compile(source);
    if (result.kind === "code") return result;
    throw new Error(`${source}\n${JSON.stringify(result, undefined, 1)}`);
  };
  const execute = executor(folder);
  return {
    folder,
    cells,
    write(path, text) {
      const file = resolve(folder, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    },
    compile,
    code,
    errors(source) {
      const result = compile(source);
      return result.kind === "diagnostics" ? result.diagnostics : [];
    },
    run: (source) => execute(code(source)),
  };
}

interface TslabExecutor {
  execute(source: string): Promise<boolean>;
}

/** tslab's own executor, given what the language thread compiled. */
function executor(folder: string): (code: Code) => Promise<unknown> {
  const { createExecutor } = createRequire(__filename)("tslab/dist/executor") as {
    createExecutor(folder: string, converters: object, console: object): TslabExecutor;
  };
  let next: Code | undefined;
  let value: unknown;
  let thrown: unknown;
  const console_ = {
    log(shown: unknown) {
      value = shown;
    },
    error(error: unknown) {
      thrown = error;
    },
  };
  const converter = { convert: () => ({ ...next, diagnostics: [] }) };
  const made = createExecutor(folder, { node: converter }, console_);
  const { __tslab__ } = globalThis as { __tslab__?: object };
  Object.assign(globalThis, { __stop__: () => {}, __import__: (id: string) => import(id) });
  return async (code) => {
    Object.assign(globalThis, { __tslab__ });
    next = code;
    value = undefined;
    if (await made.execute("")) return value;
    throw thrown;
  };
}
