import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import type { Content, Header, IoData, ToIo, ToMain } from "../messages";
import { commTable } from "./comm-table";
import { complain } from "./complain";
import { type ExecuteItem, executeQueue, type RunningExecution } from "./execute-queue";
import { newHistory } from "./history";
import { inputDesk } from "./input-desk";
import { interruption } from "./interruption";
import { isLanguageType, languageClient } from "./language-client";
import { watchParent } from "./parent-watch";
import { codeContent, commProblem, errorContent, executeContent } from "./requests";
import { openSockets, type Sockets } from "./sockets";
import { streamBuffer } from "./stream-buffer";
import { type Incoming, openWire } from "./wire";

type Channel = "shell" | "control" | "stdin";

/** A request, and the channel that its reply goes to. */
interface Request extends Incoming {
  readonly channel: Channel;
}

/** The kernel's face to its clients. It never runs user code, so that it always answers. */
async function serve({ connection, stop, inputReady, input, language, kernelInfo }: IoData): Promise<void> {
  const main = parentPort;
  if (!main) throw new Error("io-thread is a worker's entry");
  const tellMain = (message: ToMain) => main.postMessage(message);
  const wire = openWire(connection);
  const comms = commTable();
  const history = newHistory();
  const askLanguage = languageClient(language);
  let sockets: Sockets | undefined;
  let ending: Promise<void> | undefined;
  let closed: () => void = () => {};

  // ---- what goes out

  const send = (channel: Channel | "iopub", message: Parameters<typeof wire.write>[0]) => {
    const { id, frames } = wire.write(message);
    sockets?.[channel].send(frames);
    return id;
  };
  const publish = (
    type: string,
    content: Content,
    parent?: Header,
    extra?: { readonly metadata?: Content | undefined; readonly buffers?: readonly Uint8Array[] | undefined },
  ) => send("iopub", { idents: [`kernel.${wire.session}.${type}`], type, content, parent, ...extra });
  const reply = (
    to: Pick<Request, "channel" | "idents" | "header">,
    type: string,
    content: Content,
    metadata?: Content,
  ) => send(to.channel, { idents: to.idents, type, content, parent: to.header, metadata });
  const replyTo = (request: Request, content: Content) =>
    reply(request, request.header.msg_type.replace(/_request$/, "_reply"), content);
  const busy = (parent: Header) => publish("status", { execution_state: "busy" }, parent);
  const idle = (parent: Header) => {
    publish("status", { execution_state: "idle" }, parent);
    // Front ends show the status that came last.
    if (queue.running) busy(queue.running.header);
  };
  const streams = streamBuffer((name, text, parent) => publish("stream", { name, text }, parent));

  // ---- executions

  const queue = executeQueue({
    begin(running) {
      const { header, content, execution, count } = running;
      interrupts.clear(execution);
      busy(header);
      if (!content.silent) publish("execute_input", { code: content.code, execution_count: count }, header);
      if (content.store_history) history.add(count, content.code);
      tellMain({ op: "execute", header, execution, count, content });
    },
    finish(running, content) {
      streams.flush(running.header);
      desk.cancel();
      const metadata = { started: running.started.toISOString(), status: content.status };
      reply(running, "execute_reply", { ...content, execution_count: running.count }, metadata);
      idle(running.header);
    },
    abort(item, count) {
      // One that ran is busy already.
      busy(item.header);
      reply(item, "execute_reply", { status: "aborted", execution_count: count }, { status: "aborted" });
      idle(item.header);
    },
  });
  const isRunning = (parent: Header | undefined): parent is Header =>
    parent !== undefined && queue.running?.header.msg_id === parent.msg_id;

  const interrupts = interruption({
    stop,
    running: () => queue.running,
    endWait: () => desk.cancel(),
    tell: (execution) => tellMain({ op: "interrupt", execution }),
    tellUser(running: RunningExecution, text) {
      streams.flush(running.header);
      publish("stream", { name: "stderr", text }, running.header);
    },
  });

  const desk = inputDesk({
    running: () => queue.running,
    send: (to: ExecuteItem, content) =>
      send("stdin", { idents: to.idents, type: "input_request", content, parent: to.header }),
    answers: input,
    ready: inputReady,
  });

  // ---- what main says

  const take = (message: ToIo) => {
    switch (message.op) {
      case "ready":
        return queue.open();
      case "stream":
        return streams.add(message.name, message.text, message.parent);
      case "iopub": {
        const { type, content, parent, metadata, buffers } = message;
        streams.flush(parent);
        comms.note(type, content);
        if (type === "execute_result" && isRunning(parent)) noteResult(queue.running?.count ?? 0, content);
        return void publish(type, content, parent, { metadata, buffers });
      }
      case "done":
        if (!queue.done(message.execution, message.content))
          complain("A reply was dropped", `execution ${message.execution} does not run`);
        return;
      case "input": {
        if (isRunning(message.parent)) streams.flush(message.parent);
        return desk.ask(message);
      }
      case "handled":
        streams.flush(message.header);
        return void idle(message.header);
      case "terminate":
        return void end(undefined);
      case "closed":
        return closed();
      default:
        message satisfies never;
    }
  };
  const noteResult = (count: number, { data }: Content) => {
    const text = (data as { readonly "text/plain"?: unknown } | undefined)?.["text/plain"];
    if (typeof text === "string") history.addOutput(count, text);
  };

  // ---- what clients ask

  const answer = (request: Request) => {
    const { header, content } = request;
    const type = header.msg_type;
    if (type === "execute_request") return execute(request);
    if (type === "shutdown_request") return void end(request);
    if (type === "comm_open" || type === "comm_msg" || type === "comm_close") return forward(type, request);
    if (!type.endsWith("_request")) return complain("A message was dropped", `${type} is no request`);
    busy(header);
    if (isLanguageType(type)) {
      const asked = codeContent(type, content);
      const answered = typeof asked === "string" ? errorContent("RequestError", asked) : askLanguage(type, asked);
      void Promise.resolve(answered).then((answered) => {
        replyTo(request, answered);
        idle(header);
      });
      return;
    }
    replyTo(request, answerNow(type, content));
    idle(header);
  };
  const answerNow = (type: string, content: Content): Content => {
    switch (type) {
      case "kernel_info_request":
        return { status: "ok", ...kernelInfo };
      case "history_request":
        return history.answer(content);
      case "comm_info_request":
        return comms.answer(content);
      case "connect_request": {
        const {
          shell_port: shell,
          iopub_port: iopub,
          stdin_port: stdin,
          control_port: control,
          hb_port: hb,
        } = connection;
        return {
          status: "ok",
          shell_port: shell,
          iopub_port: iopub,
          stdin_port: stdin,
          control_port: control,
          hb_port: hb,
        };
      }
      case "interrupt_request":
        interrupts.request();
        return { status: "ok" };
      default:
        return errorContent("UnknownMessageError", `this kernel does not know ${type}`);
    }
  };
  const execute = (request: Request) => {
    const content = executeContent(request.content);
    if (typeof content !== "string")
      return queue.add({ header: request.header, idents: request.idents, channel: request.channel, content });
    busy(request.header);
    replyTo(request, { ...errorContent("RequestError", content), execution_count: queue.count });
    idle(request.header);
  };
  const forward = (op: "comm_open" | "comm_msg" | "comm_close", { header, content, metadata, buffers }: Request) => {
    busy(header);
    const problem = commProblem(op, content);
    if (problem) {
      complain("A message was dropped", problem);
      return void idle(header);
    }
    comms.note(op, content);
    // Copies: what zeromq gave us may lie in memory that others share. Main says `handled`, then it is idle.
    const copies = buffers.map((buffer) => new Uint8Array(buffer));
    main.postMessage(
      { op, header, content, metadata, buffers: copies } satisfies ToMain,
      copies.map(({ buffer }) => buffer),
    );
  };

  const onMessage = (frames: readonly Buffer[], channel: Channel) => {
    const message = wire.read(frames);
    if (typeof message === "string") return complain("A message was dropped", message);
    const request = { ...message, channel };
    try {
      if (channel !== "stdin") return answer(request);
      const problem =
        message.header.msg_type === "input_reply" ? desk.reply(message) : `${message.header.msg_type} on stdin`;
      if (problem) complain("A message was dropped", problem);
    } catch (error) {
      complain(`${message.header.msg_type} failed`, error);
      if (message.header.msg_type.endsWith("_request")) replyTo(request, errorContent("KernelError", String(error)));
      idle(message.header);
    }
  };

  // ---- the end

  /** Ends the process, once main has closed what is open or has had its time. */
  const end = (request: Request | undefined): Promise<void> => {
    const restart = request?.content.restart === true;
    if (request) busy(request.header);
    ending ??= closeMain(restart);
    return ending.then(async () => {
      if (request) {
        replyTo(request, { status: "ok", restart });
        publish("shutdown_reply", { status: "ok", restart }, request.header);
        idle(request.header);
      }
      await sockets?.close();
      await sleep(LINGER_MS);
      // Not process.exit: it would wait for a main thread that may be busy, and unload zeromq under it.
      process.kill(process.pid, "SIGKILL");
    });
  };
  const closeMain = async (restart: boolean) => {
    const mainClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    queue.abortWaiting();
    interrupts.request();
    tellMain({ op: "shutdown", restart });
    await Promise.race([mainClosed, sleep(PATIENCE_MS)]);
    streams.flushAll();
    queue.close();
  };

  main.on("message", take);
  sockets = await openSockets(connection, {
    message: onMessage,
    subscribed: (topic) =>
      send("iopub", { idents: topic === "" ? [] : [topic], type: "iopub_welcome", content: { subscription: topic } }),
  });
  publish("status", { execution_state: "starting" });
  watchParent(() => void end(undefined));
}

/** How long main may take to close the session and what it started. */
const PATIENCE_MS = 2000;

/** How long zeromq has to bring the last messages out. */
const LINGER_MS = 100;

process.on("uncaughtException", (error) => complain("The kernel's io thread goes on after an error", error));
serve(workerData as IoData).catch((error) => {
  complain("The kernel can't start", error);
  process.kill(process.pid, "SIGKILL");
});
