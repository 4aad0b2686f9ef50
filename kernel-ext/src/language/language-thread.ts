import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import type { Content, Converted, FromLanguage, LanguageReply, LanguageRequest, ToLanguage } from "../messages";
import { type Cells, openCells } from "./cells";
import { toUnits } from "./code-points";
import { compiledCode, compiler } from "./compiler";
import { completeReply } from "./completion";
import { inspectReply } from "./inspection";
import { isCompleteReply } from "./is-complete";
import { unrunCells } from "./unrun-cells";

/** What the language thread gets as worker data. */
export interface LanguageData {
  /** The notebook's folder. */
  readonly cwd: string;
  /** Absolute path of the declarations of what every notebook has in scope. */
  readonly prelude: string;
  readonly packageRoot: string;
  /** To io. */
  readonly port: MessagePort;
}

/** Starts the thread that compiles cells and answers questions about code. */
function serve({ port, ...options }: LanguageData): void {
  const post = (message: FromLanguage) => parentPort?.postMessage(message);
  const cells = openCells({
    ...options,
    importing: (execution, packages) => post({ op: "importing", execution, packages }),
  });
  const unrun = unrunCells(compiler);
  port.on("message", (request: LanguageRequest) => port.postMessage(reply(cells, request)));
  parentPort?.on("message", (message: ToLanguage) => {
    switch (message.op) {
      case "convert": {
        const { execution, source, id, committed } = message;
        unrun.forget(id);
        if (committed) cells.commit(committed.execution, committed.unchanged);
        post({ op: "converted", execution, result: unrun.explain(convert(cells, execution, source)) });
        keepCodeSoon();
        break;
      }
      case "notRun":
        unrun.add(message.cell);
        break;
      case "warm":
        warm(cells);
        break;
      case "request":
        post({ op: "reply", reply: reply(cells, message.request) });
        break;
    }
  });
  post({ op: "ready" });
}

/** Long enough that the next cell of a notebook that is run as a whole has come, short enough for a kernel of few cells. */
const KEEP_AFTER_MS = 1000;

let keeping: NodeJS.Timeout | undefined;

/** Keeps the compiler's own code once nothing is to be compiled for a while: it takes a tenth of a second, once for all kernels. */
function keepCodeSoon(): void {
  clearTimeout(keeping);
  if (!compiledCode.isKept()) keeping = setTimeout(compiledCode.keep, KEEP_AFTER_MS);
}

/** The compiler's own failures reach the user as an error of the cell, since the kernel can go on. */
function convert(cells: Cells, execution: number, source: string): Converted {
  try {
    return cells.convert(execution, source);
  } catch (error) {
    const message = `The compiler failed: ${error instanceof Error ? error.message : String(error)}`;
    console.error(error);
    return {
      kind: "diagnostics",
      diagnostics: [{ file: undefined, line: 1, column: 1, length: 1, message, code: 0 }],
    };
  }
}

/** What fails here fails again in the cell that needs it, where it can be told. */
function warm(cells: Cells): void {
  try {
    cells.warm();
  } catch (error) {
    console.error(error);
  }
}

function reply(cells: Cells, request: LanguageRequest): LanguageReply {
  return { id: request.id, content: answer(cells, request) };
}

function answer(cells: Cells, { type, content }: LanguageRequest): Content {
  try {
    const code = String(content.code ?? "");
    const cursor = typeof content.cursor_pos === "number" ? content.cursor_pos : code.length;
    switch (type) {
      case "complete_request":
        return completeReply(cells, code, toUnits(code, cursor));
      case "inspect_request":
        return inspectReply(cells, code, toUnits(code, cursor));
      case "is_complete_request":
        return isCompleteReply(code);
    }
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    return { status: "error", ename: name, evalue: message, traceback: [] };
  }
}

serve(workerData as LanguageData);
