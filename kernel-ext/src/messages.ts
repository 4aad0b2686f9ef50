import type { MessagePort } from "node:worker_threads";

/**
 * What the kernel's threads tell one another. Three threads: "main" runs the user's code, "io" owns the sockets and always
 * answers, "language" holds the TypeScript compiler. Everything here is structured-cloneable.
 */

/** A Jupyter message header. @see https://jupyter-client.readthedocs.io/en/stable/messaging.html#message-header */
export interface Header {
  readonly msg_id: string;
  readonly session: string;
  readonly username: string;
  readonly date: string;
  readonly msg_type: string;
  readonly version: string;
}

export type Content = Readonly<Record<string, unknown>>;

/** The contents of a connection file. */
export interface ConnectionInfo {
  readonly transport: string;
  readonly ip: string;
  readonly shell_port: number;
  readonly iopub_port: number;
  readonly stdin_port: number;
  readonly control_port: number;
  readonly hb_port: number;
  readonly key: string;
  readonly signature_scheme: string;
  /** Set by a kernel that has ended for good, for the one that its server starts in its place. */
  readonly pomona_ended?: boolean;
}

/** What io gets as worker data. */
export interface IoData {
  readonly connection: ConnectionInfo;
  /** {@link STOP}: io sets it on an interrupt, guarded loops read it. */
  readonly stop: Int32Array;
  /** Wakes a main thread that waits for input: 1 once the answer lies on `input`. */
  readonly inputReady: Int32Array;
  /** How many executions wait for the one that runs. */
  readonly waiting: Int32Array;
  /** Where the answer to `input_request` goes, so that a waiting main thread can take it. */
  readonly input: MessagePort;
  /** To the language thread: {@link LanguageRequest} out, {@link LanguageReply} in. */
  readonly language: MessagePort;
  /** The kernel's answer to `kernel_info_request`, without `status`. */
  readonly kernelInfo: Content;
}

/**
 * The stop flags: slot 0 says that an interrupt is on its way to main, slot n % STOP_SLOTS (n > 0, never 0) how many came for
 * execution n, which keeps what an interrupted cell left behind from going on. It is cleared when an execution with its number
 * starts.
 */
export const STOP_SLOTS = 4096;

/** What slot 0 holds from an interrupt of the cell that runs until main hears of it. */
export const STOP_URGENT = 1;

/** What slot 0 holds in the place of {@link STOP_URGENT} once code has ended by it. */
export const STOP_NOTICED = 2;

/** What slot 0 holds when main does not hear: code of another cell than the one that runs may be in a loop, and is ended. */
export const STOP_OTHERS = 3;

/** What slot 0 holds while the user interrupts when no cell runs, until main hears of it. */
export const STOP_IDLE = 4;

/** What slot 0 holds when main does not hear of that: a callback or a timer may be in a loop, and is ended. */
export const STOP_ANY = 5;

/** From so many interrupts of an execution on its `finally` and `catch` are stopped too. */
export const STOP_ALL = 3;

/** The slot of an execution. */
export function stopSlot(execution: number): number {
  return 1 + (execution % (STOP_SLOTS - 1));
}

/** From io to main. */
export type ToMain =
  /**
   * Run a cell. One at a time: the next comes after `done`. `execution` is never used twice; `count` is the number that the
   * user sees, `In[count]`, which silent executions share with the one that comes next.
   */
  | {
      readonly op: "execute";
      readonly header: Header;
      readonly execution: number;
      readonly count: number;
      /** The client's name of the cell, which stays when its text changes; undefined where it tells none. */
      readonly cellId: string | undefined;
      /** Cells that the user has removed since the last execution, by those names. */
      readonly deletedCells: readonly string[];
      readonly content: ExecuteContent;
    }
  /**
   * The user interrupts the execution that runs. The stop flags are set already and SIGINT was sent. Where none runs it is 0:
   * main takes {@link STOP_IDLE} or {@link STOP_ANY} back, since what ran has ended by then.
   */
  | { readonly op: "interrupt"; readonly execution: number }
  | {
      readonly op: "comm_open" | "comm_msg" | "comm_close";
      readonly header: Header;
      readonly content: Content;
      readonly metadata: Content;
      readonly buffers: readonly Uint8Array[];
    }
  /** A cell that waited was given up, since another one failed before it. */
  | { readonly op: "aborted"; readonly cell: UnrunCell }
  /** Close what is open (the session, child processes), then answer `closed`; io ends the process after two seconds at most. */
  | { readonly op: "shutdown"; readonly restart: boolean };

export interface ExecuteContent {
  readonly code: string;
  readonly silent: boolean;
  readonly store_history: boolean;
  readonly user_expressions: Readonly<Record<string, string>>;
  readonly allow_stdin: boolean;
  readonly stop_on_error: boolean;
}

/** From main to io. `parent` is the header of the request that an output belongs to. */
export type ToIo =
  /** Main can run cells. */
  | { readonly op: "ready" }
  | {
      readonly op: "stream";
      readonly name: "stdout" | "stderr";
      readonly text: string;
      readonly parent: Header | undefined;
    }
  | {
      readonly op: "iopub";
      readonly type: string;
      readonly content: Content;
      readonly metadata?: Content;
      readonly buffers?: readonly Uint8Array[];
      readonly parent: Header | undefined;
    }
  /** The execution ended; `content` is the execute_reply. io puts in the `execution_count`. */
  | { readonly op: "done"; readonly execution: number; readonly content: ExecuteReply }
  /** Ask the client of `parent` for a line. The answer is an {@link InputAnswer} on `IoData.input`. */
  | { readonly op: "input"; readonly prompt: string; readonly password: boolean; readonly parent: Header | undefined }
  /**
   * Main is done with the comm message of that header: its outputs went out. The front end waits for it before it sends the
   * next value of a slider.
   */
  | { readonly op: "handled"; readonly header: Header }
  /** SIGTERM came: end as on a shutdown request. */
  | { readonly op: "terminate" }
  | { readonly op: "closed" };

export type InputAnswer = { readonly value: string } | { readonly notAllowed: true } | { readonly interrupted: true };

/** The code of a silent execution by which `pomona run` asks, after the last cell, for failures of what cells left running. */
export const END_OF_RUN = "%%end-of-run";

export type ExecuteReply =
  | {
      readonly status: "ok";
      readonly execution_count: number;
      readonly user_expressions: Content;
      readonly payload: readonly Content[];
    }
  | ({ readonly status: "error"; readonly execution_count: number } & ErrorContent);

/** An iopub `error`. */
export interface ErrorContent {
  readonly ename: string;
  readonly evalue: string;
  readonly traceback: readonly string[];
}

/** From main to the language thread. */
export type ToLanguage =
  /**
   * Compile a cell in the scope of the committed ones; the answer is a {@link Converted} with the same execution.
   * `committed` ran since the last one: what it declares is in scope from now on, but for the names that it did not come to.
   */
  | {
      readonly op: "convert";
      readonly execution: number;
      readonly source: string;
      /** {@link UnrunCell.id} */
      readonly id: string;
      readonly committed?: { readonly execution: number; readonly unchanged: readonly string[] };
    }
  /** A cell that declares nothing, since it did not run. */
  | { readonly op: "notRun"; readonly cell: UnrunCell }
  /** Nothing runs: prepare what a first use of the session's types needs. */
  | { readonly op: "warm" }
  /** As if it came from io; answered by `reply`. */
  | { readonly op: "request"; readonly request: LanguageRequest };

/** A cell whose text is known and that did not come to run. */
export interface UnrunCell {
  /** Names the cell each time it is sent. */
  readonly id: string;
  readonly source: string;
  /** Completes "rate is declared in", such as "In[3], which could not be compiled". */
  readonly why: string;
}

/** From the language thread to main. */
export type FromLanguage =
  | { readonly op: "ready" }
  /** The cell being compiled imports these, so that they can be loaded meanwhile. */
  | { readonly op: "importing"; readonly execution: number; readonly packages: readonly string[] }
  | { readonly op: "converted"; readonly execution: number; readonly result: Converted }
  | { readonly op: "reply"; readonly reply: LanguageReply };

export type Converted =
  | { readonly kind: "diagnostics"; readonly diagnostics: readonly Diagnostic[] }
  /** A cell with a `@module` doc comment, which declares a local module. */
  | { readonly kind: "module"; readonly modules: readonly LocalModule[] }
  | {
      readonly kind: "code";
      /** CommonJS, as tslab's executor runs it; undefined for a cell without code. */
      readonly output: string | undefined;
      readonly hasToplevelAwait: boolean;
      readonly lastExpressionVar: string | undefined;
      /** Where the last expression stands in the user's text, if its value is the cell's result. */
      readonly result: ResultPlace | undefined;
      /** From `output` to the cell. */
      readonly maps: SourceMaps;
      /** Local modules that the cell depends on and that are new or changed. */
      readonly modules: readonly LocalModule[];
      /** The specifiers of the packages that the cell and its local modules import statically, such as `d3-array`, and the paths of those that await at their top. */
      readonly packages: readonly string[];
      /** Undefined for a cell without code. */
      readonly uses: CellUses | undefined;
    };

/** What a cell does with the notebook's names, by its text. */
export interface CellUses {
  /** Names of its top. */
  readonly declares: readonly string[];
  /** Names that it reads when it runs: of other cells, and functions of its own. */
  readonly reads: readonly string[];
  /** Names of other cells that it assigns when it runs. */
  readonly writes: readonly string[];
  /** What functions do when they are called, by the names that it gives them. */
  readonly functions: Readonly<Record<string, FunctionUses>>;
  readonly imports: readonly string[];
  /** A digest of the text of each function and class that a name is given, where the same text makes the same. */
  readonly texts: Readonly<Record<string, string>>;
}

/** Of a cell without code. */
export const NO_USES: CellUses = { declares: [], reads: [], writes: [], functions: {}, imports: [], texts: {} };

export interface FunctionUses {
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

/** A compiled file of the user's, which a cell imports by a relative path. */
export interface LocalModule {
  /** Absolute path of the source, such as `/work/lib/stats.ts`. */
  readonly path: string;
  /** CommonJS. */
  readonly code: string;
  /** True where it awaits outside of functions. */
  readonly isAsync: boolean;
  readonly maps: SourceMaps;
}

/**
 * Source maps (JSON, version 3) to be applied one after the other: the last one's positions are the user's, less
 * `lineOffset` lines.
 */
export interface SourceMaps {
  readonly maps: readonly string[];
  readonly lineOffset: number;
}

/** A place in a text; lines and columns from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where a cell's last expression stands. */
export interface ResultPlace extends Position {
  /** True where a DataFrame is shown by its columns alone. */
  readonly isBrief?: true;
}

export interface Diagnostic extends Position {
  /** Relative to the notebook's folder; undefined for the cell itself. */
  readonly file: string | undefined;
  /** Characters marked, on that line; at least 1. */
  readonly length: number;
  readonly message: string;
  /** TypeScript's number, such as 2322. */
  readonly code: number;
}

/** From io to the language thread. Offsets are Jupyter's: in code points. */
export interface LanguageRequest {
  readonly id: number;
  readonly type: "complete_request" | "inspect_request" | "is_complete_request";
  readonly content: Content;
}

/** The content of the reply, with its `status`. */
export interface LanguageReply {
  readonly id: number;
  readonly content: Content;
}
