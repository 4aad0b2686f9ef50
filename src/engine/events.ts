/** Everything an engine tells about its work, with the same fields on every engine. Times are epoch milliseconds. */
export type EngineEvent =
  | { readonly type: "jobStarted"; readonly time: number; readonly jobId: string; readonly description: string }
  | {
      readonly type: "jobEnded";
      readonly time: number;
      readonly jobId: string;
      readonly status: EndStatus;
      readonly seconds: number;
      readonly error?: string;
    }
  | {
      readonly type: "stageStarted";
      readonly time: number;
      readonly jobId: string;
      readonly stageId: number;
      /** What the stage computes, such as `image.features`. */
      readonly name: string;
      /** What is counted in place of tasks, where it is something else. */
      readonly unit?: "MB";
      readonly tasks: number;
      /** Tasks already done by an earlier run of the same job. */
      readonly resumedTasks: number;
      /** Rows that go in, all tasks together. */
      readonly rows: number;
    }
  | {
      readonly type: "stageEnded";
      readonly time: number;
      readonly jobId: string;
      readonly stageId: number;
      readonly status: EndStatus;
      readonly rows: number;
      readonly seconds: number;
    }
  /** For engines that know how many tasks of a stage are done, and not which. */
  | {
      readonly type: "stageProgress";
      readonly time: number;
      readonly jobId: string;
      readonly stageId: number;
      /** Now known to be in the stage; it may grow while the stage runs. */
      readonly tasks: number;
      readonly doneTasks: number;
      readonly runningTasks: number;
      /** Rows read so far, where that is known. */
      readonly doneRows?: number;
    }
  | {
      readonly type: "engineState";
      readonly time: number;
      readonly state: EngineState;
      /** Why, where it failed. */
      readonly error?: string;
    }
  | (TaskEvent & { readonly type: "taskStarted" })
  /** `rows` are those read by this attempt so far. */
  | (TaskEvent & { readonly type: "taskProgress"; readonly rows: number })
  | (TaskEvent & { readonly type: "taskRetried"; readonly error: string })
  | (TaskEvent & {
      readonly type: "taskEnded";
      readonly status: EndStatus;
      readonly rows: number;
      readonly bytes: number;
      readonly seconds: number;
    })
  | (WorkerEvent & { readonly type: "workerJoined" })
  /** It was taken away, which is nobody's fault: its task goes to another one. */
  | (WorkerEvent & { readonly type: "workerLeft" })
  | (WorkerEvent & {
      readonly type: "workerLost";
      readonly error: string;
      /** For how long it gets no task; absent: it is lost for good, or with its machine. */
      readonly retrySeconds?: number;
      /** All workers of its machine were lost, of which a message tells. */
      readonly withMachine?: true;
    })
  /** A request to a storage that the driver or a worker tries again. Storages serve all jobs. */
  | {
      readonly type: "storageRetried";
      readonly time: number;
      readonly url: string;
      /** Such as `GetObject`. */
      readonly operation: string;
      /** In a few words, such as `SlowDown, 503`. */
      readonly why: string;
      /** Until then, in milliseconds. */
      readonly delay: number;
    }
  /** A line for the user from the driver or a worker, such as which weights are used. */
  | {
      readonly type: "message";
      readonly time: number;
      readonly level: "debug" | "info" | "warn";
      readonly text: string;
    };

interface WorkerEvent {
  readonly time: number;
  /** The worker's name, such as `worker-1`. */
  readonly worker: string;
}

interface TaskEvent {
  readonly time: number;
  readonly jobId: string;
  readonly stageId: number;
  readonly partition: number;
  readonly attempt: number;
  /** The worker's name, such as `worker-1`. */
  readonly worker: string;
}

/** `starting` until the engine is ready, `busy` while jobs run, `failed` where it could not start. */
export type EngineState = "starting" | "idle" | "busy" | "stopped" | "failed";

export type EndStatus = "succeeded" | "failed" | "cancelled";

export type EventListener = (event: EngineEvent) => void;
