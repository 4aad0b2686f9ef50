import Module from "node:module";

/**
 * The one place that touches tslab's executor (1.0.22, pinned; `test/kernel/executor-contract.test.ts` holds what is relied on):
 *  - `createExecutor(rootDir, converters, console)` and its `execute`, `interrupt` and `locals`;
 *  - `execute` calls `converters.node.convert` once and runs what that gives, in `vm.runInThisContext` with `breakOnSigint`;
 *  - `console.log(v)` is the last expression's value, `console.error(e)` with one argument what the cell threw;
 *  - cells get their `require` and `exports` from `globalThis.__tslab__`;
 *  - `locals` is a proxy with a trap for `defineProperty` alone, which sets the property of the object behind it;
 *  - its module `metadata`, which would load TypeScript into this thread, is needed for `getCodeMetadata` alone.
 */
export interface CellExecutor {
  /** Runs a compiled cell. */
  run(cell: CompiledCell): Promise<CellOutcome>;
  /** Ends a cell that waits; what it waits for goes on. */
  interrupt(): void;
  /** The notebook's variables. */
  readonly locals: Readonly<Record<string, unknown>>;
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
  readonly locals: Record<string, unknown>;
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
  const { createExecutor } = loadExecutor();
  const executor = createExecutor(folder, { node: converter, browser: undefined, close() {} }, console_);
  Object.assign((globalThis as unknown as { __tslab__: object }).__tslab__, {
    require: requireFrom,
    exports: objectBehind(executor.locals),
  });
  return {
    async run(cell) {
      next = { ...cell, output: cell.output?.replace(NAMED_IMPORT, "exports.$1 = $2;") };
      value = undefined;
      thrown = undefined;
      const ok = await executor.execute("");
      if (ok) return { status: "ended", value };
      return { status: "threw", error: (thrown as { error: unknown } | undefined)?.error };
    },
    interrupt: () => executor.interrupt(),
    locals: executor.locals,
  };
}

/**
 * TypeScript's export of a name that a cell imports. It becomes an assignment, as tslab's proxy makes of it too: the name can
 * be declared anew in a later cell.
 */
const NAMED_IMPORT =
  /^Object\.defineProperty\(exports, "([^"]+)", \{ enumerable: true, get: function \(\) \{ return (.+?); \} \}\);$/gm;

/**
 * The object behind tslab's proxy. A cell's top-level variables live in it, so a loop that counts one up would go through the
 * proxy's trap each time, some hundred times slower than in a script.
 */
function objectBehind(locals: Record<string, unknown>): Record<string, unknown> {
  let behind: Record<string, unknown> | undefined;
  const before = Object.getPrototypeOf(locals) as object | null;
  const setter = {
    set probe(_: unknown) {
      behind = this as unknown as Record<string, unknown>;
    },
  };
  Object.setPrototypeOf(locals, setter);
  Object.defineProperty(locals, "probe", { value: 0 });
  Object.setPrototypeOf(locals, before);
  if (!behind) throw new Error("tslab's executor does not keep a notebook's variables as it did in 1.0.22.");
  return behind;
}

function loadExecutor(): TslabExecutorModule {
  const metadata = require.resolve("tslab/dist/metadata");
  if (!require.cache[metadata]) {
    const stand = new Module(metadata);
    stand.exports = { getCodeMetadata: () => ({}) };
    stand.loaded = true;
    require.cache[metadata] = stand;
  }
  return require("tslab/dist/executor") as TslabExecutorModule;
}
