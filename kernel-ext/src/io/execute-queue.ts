import type { ExecuteContent, ExecuteReply, Header } from "../messages";
import type { Channel } from "./sender";

/** An `execute_request`, and how to answer it. */
export interface ExecuteItem {
  readonly header: Header;
  readonly content: ExecuteContent;
  readonly idents: readonly Buffer[];
  readonly channel: Channel;
  /** The client's name of the cell. */
  readonly cellId: string | undefined;
  /** Cells that the user has removed since the last execution. */
  readonly deletedCells: readonly string[];
}

/** An execution that main has. */
export interface RunningExecution extends ExecuteItem {
  readonly execution: number;
  readonly count: number;
  readonly started: Date;
}

export interface ExecuteQueue {
  readonly running: RunningExecution | undefined;
  /** The number of the last counted execution. */
  readonly count: number;
  add(item: ExecuteItem): void;
  /** Main can run cells now. */
  open(): void;
  /** Main ended the execution. @returns false for one that does not run */
  done(execution: number, reply: ExecuteReply): boolean;
  /** Answers everything that waits or runs as aborted, and what still comes. */
  close(): void;
  /** The same for what waits alone; what comes is aborted. */
  abortWaiting(): void;
}

export interface ExecuteActions {
  readonly begin: (running: RunningExecution) => void;
  readonly finish: (running: RunningExecution, reply: ExecuteReply) => void;
  readonly abort: (item: ExecuteItem, count: number) => void;
  /** Told how many wait. */
  readonly wait: (waiting: number) => void;
}

/** One execution at a time, first come, first served; an error aborts what waits at that moment and nothing else. */
export function executeQueue(actions: ExecuteActions): ExecuteQueue {
  const waiting: ExecuteItem[] = [];
  let running: RunningExecution | undefined;
  let state: "starting" | "open" | "closed" = "starting";
  let executions = 0;
  let count = 0;

  const next = () => {
    const item = state === "open" && !running ? waiting.shift() : undefined;
    actions.wait(waiting.length);
    if (!item) return;
    const isCounted = !item.content.silent && item.content.store_history;
    running = { ...item, execution: ++executions, count: count + 1, started: new Date() };
    if (isCounted) count++;
    actions.begin(running);
  };
  const abort = (items: readonly ExecuteItem[]) => {
    for (const item of items) actions.abort(item, count);
  };
  const end = (ended: RunningExecution, reply: ExecuteReply) => {
    const isFatal = reply.status === "error" && ended.content.stop_on_error;
    const queued = isFatal ? waiting.splice(0) : [];
    running = undefined;
    actions.finish(ended, reply);
    abort(queued);
    next();
  };

  return {
    get running() {
      return running;
    },
    get count() {
      return count;
    },
    add(item) {
      if (state === "closed") return actions.abort(item, count);
      waiting.push(item);
      next();
    },
    open() {
      if (state === "starting") state = "open";
      next();
    },
    done(execution, reply) {
      const ended = running;
      if (ended?.execution !== execution) return false;
      // Requests that have arrived but were not read yet are queued too: the sockets get a turn to bring them.
      if (reply.status === "error" && ended.content.stop_on_error)
        setImmediate(() => {
          if (running === ended) end(ended, reply);
        });
      else end(ended, reply);
      return true;
    },
    close() {
      state = "closed";
      const left = running ? [running, ...waiting.splice(0)] : waiting.splice(0);
      running = undefined;
      abort(left);
    },
    abortWaiting() {
      state = "closed";
      abort(waiting.splice(0));
    },
  };
}
