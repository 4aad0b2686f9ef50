import type { MimeBundle } from "./mime-bundle";

/**
 * What a notebook kernel offers to this package: the way to outputs, comms, input and interrupts. The kernel connects itself
 * once, before any cell runs; nothing here knows which kernel it is.
 */
export interface KernelHost {
  /**
   * Sends `display_data`, or `update_display_data` with `update`, to the cell that runs, or that started the code that runs.
   * @see https://jupyter-client.readthedocs.io/en/stable/messaging.html#display-data
   */
  display(content: DisplayContent, update: boolean): void;
  /** Clears that cell's outputs; with `wait` only when the next output comes. */
  clearOutput(wait: boolean): void;
  /** Opens a comm to the front end. */
  openComm(target: string, options: CommOptions): Comm;
  /**
   * Takes the comms that a front end opens for `target`.
   * @returns a function that ends it
   */
  onComm(target: string, listener: (comm: Comm, data: CommData) => void): () => void;
  /**
   * Calls `listener` when the user interrupts a cell; the cell ends when the promises that listeners give have settled, or
   * after a second.
   * @returns a function that ends it
   */
  onInterrupt(listener: () => void | Promise<void>): () => void;
  /**
   * Calls `listener` when a cell has ended, before its reply is sent: what it displays still belongs to that cell.
   * @returns a function that ends it
   */
  onCellEnd(listener: () => void): () => void;
  /** Tells of work of the code that runs, such as a job: its cell ends after it, even where nobody awaits it. */
  onWork?(work: Promise<unknown>): void;
  /**
   * Runs code whose outputs go to `sink` instead of the cell, those of its timers and promises too, and later updates of
   * what it displayed.
   */
  redirect<T>(sink: (output: SentOutput) => void, run: () => T): T;
  /**
   * Asks the user for a line, as `input` does in Python: the thread waits, so other code stands still meanwhile.
   * @throws InputNotAllowedError where the front end takes no input, as when a notebook is executed by nbconvert
   */
  readLineSync(prompt: string, options: { readonly password: boolean }): string;
  /** The same without standing still. */
  readLine(prompt: string, options: { readonly password: boolean }): Promise<string>;
  /** The `msg_id` of the request that outputs belong to at this point. */
  readonly parentId: string | undefined;
  /** The cell that outputs belong to at this point, the same each time it runs; undefined for a widget's callback. */
  readonly cellKey?: string | undefined;
  /** Where in the notebook a function's compiled text came from; undefined for text that is not a cell's. */
  functionOrigin(compiled: string): FunctionOrigin | undefined;
  /** Where the value of a notebook's name was imported from; undefined for what was not. */
  importOf(name: string): ImportOrigin | undefined;
  /** The notebook's name that a variable of a cell's compiled code stands for; undefined for any other value. */
  notebookName?(variable: unknown): NotebookName | undefined;
}

/** A name of a notebook's cells. */
export interface NotebookName {
  readonly name: string;
  /** Its value now; undefined where it has none. */
  readonly value: { readonly now: unknown } | undefined;
  readonly imported: ImportOrigin | undefined;
}

/** An output of a cell, as its message says. */
export interface SentOutput {
  readonly type: "stream" | "display_data" | "update_display_data" | "execute_result" | "error" | "clear_output";
  readonly content: Readonly<Record<string, unknown>>;
}

export interface DisplayContent {
  readonly data: MimeBundle;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly transient?: { readonly display_id?: string };
}

/** JSON that a comm carries. */
export type CommData = Readonly<Record<string, unknown>>;

export interface CommOptions {
  /** @default a new one */
  readonly id?: string;
  readonly data?: CommData;
  readonly metadata?: CommData;
  readonly buffers?: readonly Uint8Array[];
}

/** One comm: a two-way channel to an object in the front end. */
export interface Comm {
  readonly id: string;
  readonly target: string;
  send(data: CommData, options?: { readonly metadata?: CommData; readonly buffers?: readonly Uint8Array[] }): void;
  /** Closes it; nothing can be sent afterwards. */
  close(data?: CommData): void;
  /** Called on each message from the front end, which counts as handled when the promise has settled. */
  onMessage: ((data: CommData, buffers: readonly Uint8Array[]) => void | Promise<void>) | undefined;
  /** Called when the front end closes it. */
  onClose: ((data: CommData) => void | Promise<void>) | undefined;
}

/** The origin of a function that a cell defined. */
export interface FunctionOrigin {
  /** The function's text as compiled, without what the kernel put into it. */
  readonly code: string;
  /** The cell, such as `In[3]`. */
  readonly cell: string;
  /** For each line of `code`, the cell's line and column (from 1) that it came from; undefined where there is none. */
  readonly lines: readonly ({ readonly line: number; readonly column: number } | undefined)[];
  /** The cell's own text. */
  readonly source: string;
}

/** The origin of a value that a cell imported. */
export interface ImportOrigin {
  /** As the import line says. */
  readonly specifier: string;
  /** `default`, `*` for the module as a whole, or the name there. */
  readonly exported: string;
}

const KEY = Symbol.for("pomona.kernel");

/** The kernel that this process is, or undefined outside a notebook. */
export function kernelHost(): KernelHost | undefined {
  return (globalThis as { [KEY]?: KernelHost })[KEY];
}

/** Makes a kernel known to this package, in every copy of it; for kernels alone. @returns a function that takes it back */
export function connectKernel(host: KernelHost): () => void {
  const holder = globalThis as { [KEY]?: KernelHost };
  holder[KEY] = host;
  return () => {
    if (holder[KEY] === host) delete holder[KEY];
  };
}
