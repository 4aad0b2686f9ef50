import Module from "node:module";
import type { ImportOrigin, NotebookName } from "pomona/kernel";
import { type CellEnd, notebookNames } from "./names";

/**
 * The one place that touches tslab's executor (1.0.22, pinned; `test/kernel/executor-contract.test.ts` holds what is relied on):
 *  - `createExecutor(rootDir, converters, console)` and its `execute` and `interrupt`;
 *  - `execute` calls `converters.node.convert` once and runs what that gives, in `vm.runInThisContext` with `breakOnSigint`;
 *  - `console.log(v)` is the last expression's value, `console.error(e)` with one argument what the cell threw;
 *  - cells get their `require` and `exports` from `globalThis.__tslab__`; of `exports`, the last expression's value is taken out;
 *  - its module `metadata`, which would load TypeScript into this thread, is needed for `getCodeMetadata` alone.
 */
export interface CellExecutor {
  /** Runs a compiled cell. */
  run(cell: CompiledCell): Promise<CellOutcome>;
  /** Ends a cell that waits; what it waits for goes on. */
  interrupt(): void;
  /**
   * Says that the cell has come to its end, or that what it had not come to stays as it was.
   * @param cell as the user knows it
   * @returns the names that it declares and that have the values of earlier cells still
   */
  end(cell: string, how: CellEnd): readonly string[];
  /** A variable's value; undefined where it has none. */
  lookUp(name: string): { readonly value: unknown } | undefined;
  /** The notebook's variables. */
  locals(): Readonly<Record<string, unknown>>;
  /** Where a variable's value was imported from. */
  importOf(name: string): ImportOrigin | undefined;
  /** The name that a variable of compiled code stands for. */
  nameOf(variable: unknown): NotebookName | undefined;
}

export interface CompiledCell {
  readonly output: string | undefined;
  readonly hasToplevelAwait: boolean;
  readonly lastExpressionVar: string | undefined;
}

export type CellOutcome =
  | { readonly status: "ended"; readonly value: { readonly shown: unknown } | undefined }
  | { readonly status: "threw"; readonly error: unknown };

interface TslabExecutor {
  execute(source: string): Promise<boolean>;
  interrupt(): void;
}

interface TslabExecutorModule {
  createExecutor(
    rootDir: string,
    converters: { node: { convert(): object }; browser: undefined; close(): void },
    console: { log(value: unknown): void; error(...values: unknown[]): void },
  ): TslabExecutor;
}

/** @param requireFrom what `require` is in a cell */
export function cellExecutor(folder: string, requireFrom: (id: string) => unknown): CellExecutor {
  let next: CompiledCell = { output: undefined, hasToplevelAwait: false, lastExpressionVar: undefined };
  let value: { shown: unknown } | undefined;
  let thrown: { error: unknown } | undefined;
  const converter = {
    convert: () => ({ ...next, diagnostics: [], sideOutputs: undefined, declOutput: "" }),
  };
  const console_ = {
    log(shown: unknown) {
      value = { shown };
    },
    error(error: unknown) {
      thrown = { error };
    },
  };
  const names = notebookNames();
  const { createExecutor } = loadExecutor();
  const executor = createExecutor(folder, { node: converter, browser: undefined, close() {} }, console_);
  Object.assign((globalThis as unknown as { __tslab__: object }).__tslab__, {
    require: requireFrom,
    names: names.begin,
  });
  return {
    async run(cell) {
      next = cell;
      value = undefined;
      thrown = undefined;
      const ok = await executor.execute("");
      if (ok) return { status: "ended", value };
      return { status: "threw", error: (thrown as { error: unknown } | undefined)?.error };
    },
    interrupt: () => executor.interrupt(),
    end: names.end,
    lookUp: names.lookUp,
    locals: names.values,
    importOf: names.importOf,
    nameOf: names.nameOf,
  };
}

function loadExecutor(): TslabExecutorModule {
  const metadata = require.resolve("tslab/dist/metadata");
  if (require.cache[metadata]) return require("tslab/dist/executor") as TslabExecutorModule;
  const stand = new Module(metadata);
  stand.exports = { getCodeMetadata: () => ({}) };
  stand.loaded = true;
  require.cache[metadata] = stand;
  try {
    return require("tslab/dist/executor") as TslabExecutorModule;
  } finally {
    // Whoever asks for it later in this process gets the module itself.
    delete require.cache[metadata];
  }
}
