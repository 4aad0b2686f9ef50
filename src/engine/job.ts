import type { Plan } from "../frame/plan";
import type { FooterCache } from "../parquet";
import type { Storages } from "../storage";
import type { EngineOptions } from "./contract";
import type { EventListener } from "./events";
import { readSettings } from "./files";
import type { Analysis, CachedStages, Relational } from "./relational";
import type { Scheduler } from "./scheduler/scheduler";
import type { Shipping } from "./shipping";
import type { Spool } from "./spool";
import type { WorkerPool } from "./workers";

/** What one action of a driver works with. */
export interface Job {
  readonly conf: EngineOptions["conf"];
  readonly emit: EventListener;
  readonly relational: Relational;
  readonly workers: WorkerPool;
  readonly storages: Storages;
  readonly scheduler: Scheduler;
  /** Puts bytes, or a file's, where workers fetch them: for this job, and for as long as the owners are there. */
  readonly ship: Shipping["ship"];
  /** Lives as long as the session: what a user cached, what is shipped to workers. */
  readonly spool: Spool;
  /** Gone when the action ends. */
  readonly scratch: Spool;
  readonly cached: CachedStages;
  readonly footers: FooterCache;
  readonly signal: AbortSignal;
}

/** A plan, looked up. @throws AnalysisError, StorageError */
export function analyzed(plan: Plan, job: Job): Promise<Analysis> {
  const { conf, scratch, cached, footers, storages, signal } = job;
  const settings = readSettings(conf);
  return job.relational.analyze(plan, { spool: scratch, cached, settings, footers, storages, signal });
}
