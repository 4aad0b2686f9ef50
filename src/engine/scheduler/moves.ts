import type { SchedulerPolicy } from "./policy";

/*
 * What a scheduler is told and what it decides, by number: workers and stages have the numbers that the caller gives them, tasks
 * those from 0 within their stage. A lease is one attempt on one worker; what is told of a lease that is over means nothing.
 */

/** What happened. */
export type SchedulerEvent =
  /**
   * @property beats whether it says something all the while it runs a task, so that silence means that it is lost
   * @property machine what it shares with others, so that they are slow together; undefined where that says nothing
   */
  | {
      readonly type: "workerJoined";
      readonly worker: number;
      readonly beats: boolean;
      readonly machine?: string | undefined;
    }
  /** It was taken away, which is nobody's fault. */
  | { readonly type: "workerLeft"; readonly worker: number }
  /** It is going to: it does what it has, and gets nothing new. */
  | { readonly type: "workerLeaving"; readonly worker: number }
  | {
      readonly type: "stageSubmitted";
      readonly stage: number;
      readonly tasks: number;
      readonly policy: SchedulerPolicy;
    }
  | { readonly type: "stageCancelled"; readonly stage: number }
  /** An attempt's work is done, and its output may be committed. */
  | (Leased & { readonly type: "attemptDone" })
  | (Leased & { readonly type: "attemptFailed"; readonly retryable: boolean; readonly cause: unknown })
  | (Leased & { readonly type: "workerLost"; readonly cause: unknown })
  | (Leased & { readonly type: "committed" })
  | (Leased & { readonly type: "commitFailed"; readonly retryable: boolean; readonly cause: unknown })
  /** Time has passed. */
  | { readonly type: "tick" };

/** What is to be done. */
export type Decision =
  /** @property attempt 0 for a task's first */
  | (Leased & {
      readonly type: "start";
      readonly stage: number;
      readonly task: number;
      readonly attempt: number;
      readonly isSpeculative: boolean;
    })
  /** Its result will not be used. */
  | (Leased & { readonly type: "stop"; readonly why: "superseded" | "ending" | "left" | "silent" })
  | (Leased & { readonly type: "commit" })
  /** The attempt failed, or its worker was lost, and there will be another one. @property cause undefined for a silent worker */
  | (Leased & { readonly type: "retry"; readonly stage: number; readonly task: number; readonly cause: unknown })
  /** There is no worker for it: it waits for one to join, for as long as its policy says. */
  | { readonly type: "await"; readonly stage: number }
  /** The stage can't succeed any more; its end follows. */
  | {
      readonly type: "fail";
      readonly stage: number;
      readonly failure: StageFailure;
    }
  | { readonly type: "end"; readonly stage: number; readonly outcome: Outcome }
  /** @property pause milliseconds for which it gets no task; undefined: it is lost for good */
  | {
      readonly type: "quarantine";
      readonly worker: number;
      readonly pause: number | undefined;
      readonly cause: unknown;
    };

/** Why a stage can't succeed. @property lost the workers that were lost with the task, in order */
export type StageFailure =
  | {
      readonly why: "task";
      readonly worker: number;
      readonly lease: number;
      readonly task: number;
      readonly cause: unknown;
      readonly losses: number;
    }
  | { readonly why: "noWorkers" };

export type Outcome = "succeeded" | "failed" | "cancelled";

interface Leased {
  readonly worker: number;
  readonly lease: number;
}
