import { type Comm, type KernelHost, kernelHost } from "../kernel/kernel-host";
import { inMessage } from "./callbacks";

/**
 * The widgets' protocol (2.1) over comms, and its control channel (1.0).
 * @see https://github.com/jupyter-widgets/ipywidgets/blob/main/packages/schema/messages.md
 */
const PROTOCOL = { version: "2.1.0" };
const CONTROL_TARGET = "jupyter.widget.control";

/** A widget's state as JSON, by the protocol's names; widgets in it are references. */
export type WireState = Readonly<Record<string, unknown>>;

/** What the protocol asks of a widget. */
export interface Connected {
  readonly modelId: string;
  /** The widget itself. */
  readonly widget: unknown;
  wireState(): WireState;
  /** The front end changed something; the promise settles when what listens to it has run. */
  receive(state: WireState): Promise<void>;
  receiveCustom(content: unknown, buffers: readonly Uint8Array[]): Promise<void>;
  /** The front end closed it. */
  disconnected(): void;
}

/** A widget's way to its views. */
export interface Connection {
  update(state: WireState): void;
  /** Tells every view what one of them changed, so that they agree. */
  echo(state: WireState): void;
  custom(content: unknown, buffers: readonly Uint8Array[]): void;
  close(): void;
}

/** How the protocol writes a widget inside a state. */
export function reference(modelId: string): string {
  return `IPY_MODEL_${modelId}`;
}

/** The widget that a reference in a state stands for, if it is open. */
export function referenced(value: unknown): unknown {
  return typeof value === "string" && value.startsWith("IPY_MODEL_") ? open.get(value.slice(10))?.widget : undefined;
}

const open = new Map<string, Connected>();

/** Opens a widget's comm; undefined outside a notebook. */
export function connect(widget: Connected): Connection | undefined {
  const host = kernelHost();
  if (!host) return undefined;
  answerReloads(host);
  const data = { state: widget.wireState(), buffer_paths: [] };
  const comm = host.openComm("jupyter.widget", { id: widget.modelId, data, metadata: PROTOCOL });
  open.set(widget.modelId, widget);
  comm.onMessage = (message, buffers) => {
    switch (message.method) {
      case "update":
        return inMessage(() => widget.receive(asState(message.state)));
      case "request_state":
        return comm.send({ method: "update", state: widget.wireState(), buffer_paths: [] });
      case "custom":
        return inMessage(() => widget.receiveCustom(message.content, buffers));
      default:
        console.error(`The front end sent a widget a message with an unknown method: ${String(message.method)}`);
    }
  };
  comm.onClose = () => {
    open.delete(widget.modelId);
    widget.disconnected();
  };
  return {
    update: (state) => comm.send({ method: "update", state, buffer_paths: [] }),
    echo: (state) => {
      if (echoes()) comm.send({ method: "echo_update", state, buffer_paths: [] });
    },
    custom: (content, buffers) => comm.send({ method: "custom", content }, { buffers }),
    close: () => {
      open.delete(widget.modelId);
      // nbclient reads `data` of every comm message.
      comm.close({});
    },
  };
}

const answering = new WeakSet<KernelHost>();

/** A page that is opened again asks for the state of all widgets in one message. */
function answerReloads(host: KernelHost): void {
  if (answering.has(host)) return;
  answering.add(host);
  host.onComm(CONTROL_TARGET, (comm: Comm) => {
    comm.onMessage = ({ method }) => {
      if (method !== "request_states") return;
      const states = Object.fromEntries([...open].map(([id, widget]) => [id, describe(widget.wireState())]));
      comm.send({ method: "update_states", states, buffer_paths: [] });
    };
  });
}

function describe(state: WireState) {
  return {
    model_name: state._model_name,
    model_module: state._model_module,
    model_module_version: state._model_module_version,
    state,
  };
}

function asState(value: unknown): WireState {
  return typeof value === "object" && value !== null ? (value as WireState) : {};
}

/** As in ipywidgets, `JUPYTER_WIDGETS_ECHO=0` turns echoes off. */
function echoes(): boolean {
  const setting = process.env.JUPYTER_WIDGETS_ECHO?.toLowerCase();
  return setting === undefined || !["0", "0.0", "false", "no", "off", "n"].includes(setting);
}
