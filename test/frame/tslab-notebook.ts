import { mkdtempSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Converter {
  close(): void;
}
interface Executor {
  execute(source: string): Promise<boolean>;
  close(): void;
}

/** A notebook whose cells stock tslab converts and runs in this process, as its kernel does. */
export interface TslabNotebook {
  /** Runs a cell; what it throws is thrown. */
  run(cell: string): Promise<void>;
  close(): void;
}

/** A new folder for a notebook. */
export function notebookFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), "pomona-cells-")));
}

/** Opens a notebook in a folder, which becomes the current one, as for a kernel. */
export function openNotebook(folder: string): TslabNotebook {
  process.chdir(folder);
  const require = createRequire(__filename);
  const { createConverter } = require("tslab/dist/converter") as { createConverter(o: object): Converter };
  const { createExecutor } = require("tslab/dist/executor") as {
    createExecutor(root: string, converters: object, console: object): Executor;
  };
  const node = createConverter({ isJS: false, isBrowser: false });
  const failures: unknown[] = [];
  const executor = createExecutor(
    folder,
    { node, browser: node, close: () => node.close() },
    {
      log: () => undefined,
      error: (...args: unknown[]) => failures.push(args.length === 1 ? args[0] : new Error(args.join(" "))),
    },
  );
  return {
    async run(cell) {
      failures.length = 0;
      if (!(await executor.execute(cell)) || failures.length > 0) throw failures[0];
    },
    close: () => executor.close(),
  };
}
