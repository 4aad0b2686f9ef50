import { spawn } from "node:child_process";
import { basename } from "node:path";
import { createInterface } from "node:readline";
import { stripVTControlCharacters } from "node:util";
import { PomonaError } from "../errors";
import { withoutSecretLiterals } from "../kernel/secret-literals";

/** A cell of the notebook failed, or its kernel did; the message says which, and how. */
export class NotebookFailedError extends PomonaError {}

export interface Execution {
  readonly input: string;
  readonly output: string;
  /** Where it is saved if it can't be at `output`. */
  readonly spare: string;
  /** The notebook's own folder, which the kernel works in. */
  readonly folder: string;
  /** Seconds a cell may take. */
  readonly timeout: number;
}

/** Why an execution did not reach the last cell. */
export type Failure =
  | ({ readonly kind: "error"; readonly traceback: readonly string[] } & AtCell)
  /** Of what cells left running, after the last cell. */
  | {
      readonly kind: "late";
      readonly traceback: readonly string[];
      readonly cell?: undefined;
      readonly line?: undefined;
    }
  | ({ readonly kind: "timeout"; readonly seconds: number } & AtCell)
  /** `exit` is the kernel's exit code, negative for a signal; unknown where it is still there but does not answer. */
  | ({ readonly kind: "died"; readonly exit: number | null } & AtCell)
  | ({ readonly kind: "interrupted" } & AtCell);

interface AtCell {
  /** The cell, such as `In [3]`; undefined before the first. */
  readonly cell?: string;
  /** Its first line with code. */
  readonly line?: string;
}

/**
 * Executes a notebook, from the first cell to the last or to the one that fails, and saves it whatever happens.
 * When `signal` aborts, the cell that runs is interrupted, as by the button in JupyterLab.
 * @returns why it ended early; undefined where it did not. `unwritten` says why it is at `spare`
 * @throws NotebookFailedError where it could not start
 */
export async function executeNotebook(
  python: string,
  job: Execution,
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void,
): Promise<{ failure: Failure | undefined; log: string; unwritten: string | undefined }> {
  const child = spawn(python, ["-c", EXECUTE, JSON.stringify(job)], { stdio: ["ignore", "pipe", "pipe"] });
  const onAbort = () => child.kill("SIGTERM");
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  let failure: Failure | undefined;
  let unwritten: string | undefined;
  const read = (async () => {
    for await (const text of createInterface({ input: child.stdout })) {
      if (!text.startsWith("{")) continue;
      const event = JSON.parse(text) as Event;
      if ("failure" in event) failure = event.failure;
      else if ("unwritten" in event) unwritten = event.unwritten;
      else onProgress(event.done, event.total);
    }
  })();
  const code = await new Promise<number | null>((done, fail) => child.on("close", done).on("error", fail));
  await read;
  signal.removeEventListener("abort", onAbort);
  if (code !== 0 && !signal.aborted) {
    throw new NotebookFailedError(`The notebook could not be executed:\n${lastLines(log, 30)}`);
  }
  return { failure, log, unwritten };
}

/** A failure in words: which cell, which line, what happened. `colours` keeps a traceback's. */
export function failureText(failure: Failure, source: string, log: string, colours: boolean): string {
  const cell = `${failure.cell ?? "The start"} of ${basename(source)}`;
  const line = failure.line === undefined ? "" : ` (${withoutSecretLiterals(failure.line)})`;
  switch (failure.kind) {
    case "error":
      return `${cell} failed${line}:\n\n${inColours(failure.traceback, colours)}\n`;
    case "late":
      return `What cells of ${basename(source)} left running failed:\n\n${inColours(failure.traceback, colours)}\n`;
    case "timeout":
      return `${cell} took longer than ${failure.seconds} s, and was stopped${line}.\n--timeout allows more.`;
    case "died": {
      const how =
        failure.exit === null ? "" : failure.exit < 0 ? ` (signal ${-failure.exit})` : ` (exit ${failure.exit})`;
      // SIGKILL, and V8's SIGABRT.
      const memory = [-9, -6, 134, 137].includes(failure.exit ?? 0) ? " Such ends often mean that memory ran out." : "";
      const last = lastLines(log, 15);
      return `The kernel died${how} in ${cell}${line}.${memory}${last ? `\nIts last words:\n${last}` : ""}`;
    }
    case "interrupted":
      return `${cell} was interrupted${line}.`;
  }
}

function inColours(traceback: readonly string[], colours: boolean): string {
  const text = traceback.join("\n");
  return colours ? text : stripVTControlCharacters(text);
}

type Event =
  | { readonly done: number; readonly total: number }
  | { readonly failure: Failure }
  | { readonly unwritten: string };

function lastLines(text: string, count: number): string {
  return stripVTControlCharacters(text).trim().split("\n").slice(-count).join("\n");
}

/**
 * Runs a notebook by nbclient, writing one line of JSON an event to standard output. SIGTERM interrupts the cell; a second
 * one, or ten seconds without effect, ends the kernel. A terminal's Ctrl-C comes to us as SIGTERM too, so SIGINT counts for
 * nothing here.
 */
const EXECUTE = `
import asyncio, json, signal, sys
# jsonschema builds its grammar when it is loaded, for most of a second, to check addresses of a form that no notebook has.
sys.modules["rfc3987_syntax"] = None
import nbformat
from jupyter_client.utils import ensure_async
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

job = json.loads(sys.argv[1])
notebook = nbformat.read(job["input"], as_version=4)
code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.source.strip()]
tell = lambda **event: print(json.dumps(event), flush=True)

class Client(NotebookClient):
    exit = None
    late = None

    async def async_execute_cell(self, cell, cell_index, *args, **kwargs):
        executed = await super().async_execute_cell(cell, cell_index, *args, **kwargs)
        if cell_index == len(notebook.cells) - 1:
            await self.look_for_late_failures()
        return executed

    async def look_for_late_failures(self):
        info = await self.async_wait_for_reply(await ensure_async(self.kc.kernel_info()))
        if not code or info is None or info["content"].get("implementation") != "pomona":
            return
        reply = await self.async_wait_for_reply(await ensure_async(self.kc.execute("%%end-of-run", silent=True)))
        if reply is None or reply["content"]["status"] != "error":
            return
        # A kernel of an earlier version.
        if reply["content"]["ename"] == "UnknownMagicError":
            return
        failure = {name: reply["content"][name] for name in ("ename", "evalue", "traceback")}
        notebook.cells[code[-1]].outputs.append(nbformat.v4.new_output("error", **failure))
        self.late = failure["traceback"]

    async def _async_cleanup_kernel(self):
        if self.km is not None and self.km.has_kernel:
            self.exit = await self.km.provisioner.poll()
        await super()._async_cleanup_kernel()

async def main():
    loop = asyncio.get_running_loop()
    stops = 0
    at = None

    def place():
        if at is None:
            return {}
        lines = (line.strip() for line in notebook.cells[at].source.split("\\n"))
        line = next((line for line in lines if line and not line.startswith(("//", "/*", "*"))), None)
        count = notebook.cells[at].get("execution_count") or code.index(at) + 1
        return {"cell": f"In [{count}]", **({} if line is None else {"line": line[:80]})}

    async def interrupt():
        try:
            await ensure_async(client.km.interrupt_kernel())
            await asyncio.sleep(10)
        finally:
            task.cancel()

    def stop():
        nonlocal stops
        stops += 1
        if stops == 1 and at is not None:
            stopping.append(asyncio.ensure_future(interrupt()))
        else:
            task.cancel()

    def take_signals(**_):
        loop.add_signal_handler(signal.SIGTERM, stop)
        loop.add_signal_handler(signal.SIGINT, lambda: None)

    def started(cell, cell_index):
        nonlocal at
        if cell_index in code:
            at = cell_index
        # A cell may have caught the interrupt.
        if stops:
            task.cancel()
        tell(done=sum(i < cell_index for i in code), total=len(code))

    stopping = []
    take_signals()
    # nbclient sets handlers of its own before it starts the kernel.
    client = Client(
        notebook, timeout=job["timeout"], resources={"metadata": {"path": job["folder"]}},
        on_notebook_start=take_signals, on_cell_start=started,
    )
    task = asyncio.ensure_future(client.async_execute())
    try:
        await task
        return client.late and {"kind": "late", "traceback": client.late}
    except CellExecutionError as error:
        # As in papermill: an early end on purpose.
        if error.ename == "SystemExit" and error.evalue in ("", "0"):
            return None
        if stops:
            return {"kind": "interrupted", **place()}
        outputs = [output for output in notebook.cells[at].outputs if output.output_type == "error"]
        return {"kind": "error", "traceback": outputs[-1].traceback if outputs else [str(error)], **place()}
    except CellTimeoutError:
        return {"kind": "timeout", "seconds": job["timeout"], **place()}
    except DeadKernelError:
        return {"kind": "died", "exit": client.exit, **place()}
    except asyncio.CancelledError:
        return {"kind": "interrupted", **place()}
    finally:
        for waiting in stopping:
            waiting.cancel()
        client.set_widgets_metadata()
        try:
            nbformat.write(notebook, job["output"])
        except OSError as error:
            nbformat.write(notebook, job["spare"])
            tell(unwritten=str(error))

failure = asyncio.run(main())
tell(done=len(code), total=len(code))
if failure:
    tell(failure=failure)
`;
