import { setTimeout as sleep } from "node:timers/promises";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import type { Content, Header, IoData, ToIo, ToMain } from "../messages";
import { commTable } from "./comm-table";
import { complain } from "./complain";
import { executeQueue } from "./execute-queue";
import { newHistory } from "./history";
import { inputDesk } from "./input-desk";
import { interruption } from "./interruption";
import { languageClient } from "./language-client";
import { watchParent } from "./parent-watch";
import { codeContent, commProblem, connectContent, errorReply, executeContent } from "./requests";
import { type Channel, sender } from "./sender";
import { openSockets, type Sockets } from "./sockets";
import { usage } from "./usage";
import { type Incoming, openWire } from "./wire";

const NO_SUBSHELLS =
  "this kernel has no subshells, as one thread runs all cells; what is asked beside a cell is answered without";

/** How long main may take to close the session and what it started. */
const PATIENCE_MS = 2000;

/** How long zeromq has to bring the last messages out. */
const LINGER_MS = 100;

/** A request, and the channel that its reply goes to. */
interface Request extends Incoming {
  readonly channel: Channel;
}

process.on("uncaughtException", (error) => complain("The kernel's io thread goes on after an error", error));
serve(workerData as IoData, parentPort as MessagePort).catch((error) => {
  complain("The kernel can't start", error);
  process.kill(process.pid, "SIGKILL");
});

/** Ends what cells started and left: Jupyter starts a kernel as the leader of a process group, and children join it. */
function endGroup(): void {
  try {
    process.kill(-process.pid, "SIGTERM");
  } catch {
    // Started in another way, it leads none.
  }
}

/** The kernel's face to its clients. It never runs user code, so that it always answers. */
async function serve(data: IoData, main: MessagePort): Promise<void> {
  const { connection, stop, inputReady, waiting, input, language, kernelInfo } = data;
  const tellMain = (message: ToMain) => main.postMessage(message);
  const wire = openWire(connection);
  const comms = commTable();
  const history = newHistory();
  const used = usage();
  const askLanguage = languageClient(language);
  let sockets: Sockets | undefined;
  const out = sender(
    wire,
    () => sockets,
    () => queue.running?.header,
  );

  const queue = executeQueue({
    begin({ header, content, execution, count, cellId, deletedCells }) {
      interrupts.clear(execution);
      // First, so that it compiles meanwhile; what it prints comes through this thread, after what follows here.
      tellMain({ op: "execute", header, execution, count, cellId, deletedCells, content });
      out.busy(header);
      if (!content.silent) out.publish("execute_input", { code: content.code, execution_count: count }, header);
      if (content.store_history) history.add(count, content.code);
    },
    finish(running, content) {
      desk.cancel();
      const metadata = { started: running.started.toISOString(), status: content.status };
      out.reply(running, { ...content, execution_count: running.count }, metadata);
      out.idle(running.header);
    },
    abort(item, count) {
      const { content, cellId } = item;
      const why = `a cell that was not run, since In[${count}] failed before it`;
      tellMain({ op: "aborted", cell: { id: cellId ?? content.code, source: content.code, why } });
      out.busy(item.header);
      // Without a number: the cell was not run, and a front end would show it as if it were.
      out.reply(item, { status: "aborted" }, { status: "aborted" });
      out.idle(item.header);
    },
    wait: (count) => void Atomics.store(waiting, 0, count),
  });
  const interrupts = interruption({
    stop,
    running: () => queue.running,
    endWait: () => desk.cancel(),
    tell: (execution) => tellMain({ op: "interrupt", execution }),
    tellUser: ({ header }, text) => out.publish("stream", { name: "stderr", text }, header),
  });
  const desk = inputDesk({ running: () => queue.running, ask: out.ask, answers: input, ready: inputReady });
  let closed: () => void = () => {};
  let closing: Promise<void> | undefined;

  const onMain = (message: ToIo) => {
    switch (message.op) {
      case "ready":
        return queue.open();
      case "stream":
        return out.print(message.name, message.text, message.parent);
      case "iopub": {
        const { type, content, parent, metadata, buffers } = message;
        comms.note(type, content);
        if (type === "execute_result") noteResult(content, parent);
        return out.publish(type, content, parent, { metadata, buffers });
      }
      case "done":
        if (!queue.done(message.execution, message.content))
          complain("A reply was dropped", `execution ${message.execution} does not run`);
        return;
      case "input":
        return desk.ask(message);
      case "handled":
        return out.idle(message.header);
      case "terminate":
        return void end(undefined);
      case "closed":
        return closed();
      default:
        message satisfies never;
    }
  };
  const noteResult = ({ data }: Content, parent: Header | undefined) => {
    const { running } = queue;
    const text = (data as { readonly "text/plain"?: unknown } | undefined)?.["text/plain"];
    if (typeof text === "string" && running && running.header.msg_id === parent?.msg_id)
      history.addOutput(running.count, text);
  };

  const onClient = (frames: readonly Buffer[], channel: Channel) => {
    const message = wire.read(frames);
    if (typeof message === "string") return complain("A message was dropped", message);
    const type = message.header.msg_type;
    try {
      if (channel !== "stdin") return answer({ ...message, channel });
      const problem = type === "input_reply" ? desk.reply(message) : `${type} on stdin`;
      if (problem) complain("A message was dropped", problem);
    } catch (error) {
      complain(`${type} failed`, error);
      if (type.endsWith("_request")) out.reply({ ...message, channel }, errorReply("KernelError", String(error)));
      out.idle(message.header);
    }
  };
  const answer = (request: Request) => {
    const { header, content } = request;
    const type = header.msg_type;
    switch (type) {
      case "execute_request":
        return execute(request);
      case "complete_request":
      case "inspect_request":
      case "is_complete_request": {
        const asked = codeContent(type, content);
        if (typeof asked === "string") return finish(request, errorReply("RequestError", asked));
        out.busy(header);
        return void askLanguage(type, asked).then((reply) => {
          out.reply(request, reply);
          out.idle(header);
        });
      }
      case "kernel_info_request":
        return finish(request, { status: "ok", ...kernelInfo });
      case "history_request":
        return finish(request, history.answer(content));
      case "comm_info_request":
        return finish(request, comms.answer(content));
      case "usage_request":
        return finish(request, used.answer());
      case "create_subshell_request":
      case "delete_subshell_request":
      case "list_subshell_request":
        return finish(request, errorReply("SubshellsNotSupportedError", NO_SUBSHELLS));
      case "connect_request":
        return finish(request, connectContent(connection));
      case "interrupt_request":
        interrupts.request();
        return finish(request, { status: "ok" });
      case "shutdown_request":
        return void end(request);
      case "comm_open":
      case "comm_msg":
      case "comm_close":
        return forward(type, request);
      default:
        if (!type.endsWith("_request")) return complain("A message was dropped", `${type} is no request`);
        return finish(request, errorReply("UnknownMessageError", `this kernel does not know ${type}`));
    }
  };
  const finish = (request: Request, content: Content) => {
    out.busy(request.header);
    out.reply(request, content);
    out.idle(request.header);
  };
  const execute = (request: Request) => {
    const content = executeContent(request.content);
    if (typeof content === "string")
      return finish(request, { ...errorReply("RequestError", content), execution_count: queue.count });
    const { header, idents, channel, metadata } = request;
    const cellId = typeof metadata.cellId === "string" ? metadata.cellId : undefined;
    const deletedCells = Array.isArray(metadata.deletedCells) ? metadata.deletedCells.map(String) : [];
    queue.add({ header, idents, channel, cellId, deletedCells, content });
  };
  const forward = (op: "comm_open" | "comm_msg" | "comm_close", { header, content, metadata, buffers }: Request) => {
    const problem = commProblem(op, content);
    if (problem) return complain("A message was dropped", problem);
    out.busy(header);
    comms.note(op, content);
    // Copies: what zeromq gave may lie in memory that others share. It is idle again once main says `handled`.
    const copies = buffers.map((buffer) => new Uint8Array(buffer));
    const message: ToMain = { op, header, content, metadata, buffers: copies };
    main.postMessage(
      message,
      copies.map(({ buffer }) => buffer),
    );
  };

  /** Ends the process, once main has closed what is open or has had its time. */
  const end = async (request: Request | undefined) => {
    const restart = request?.content.restart === true;
    if (request) out.busy(request.header);
    closing ??= close(restart);
    await closing;
    if (request) {
      out.reply(request, { status: "ok", restart });
      out.publish("shutdown_reply", { status: "ok", restart }, request.header);
      out.idle(request.header);
    }
    await sockets?.close();
    await sleep(LINGER_MS);
    endGroup();
    // Not process.exit: it would wait for a main thread that may be busy, and unload zeromq under it.
    process.kill(process.pid, "SIGKILL");
  };
  const close = async (restart: boolean) => {
    const mainClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    queue.abortWaiting();
    interrupts.request();
    tellMain({ op: "shutdown", restart });
    await Promise.race([mainClosed, sleep(PATIENCE_MS)]);
    queue.close();
    out.flush();
  };

  main.on("message", onMain);
  sockets = await openSockets(connection, { message: onClient, subscribed: out.welcome });
  watchParent(() => void end(undefined));
}
