import { join } from "node:path";
import { serialize } from "node:v8";
import type { RecordBatch } from "apache-arrow";
import type { ShippedFile } from "../data/shipped-file";
import { renamedBatch } from "../data/vectors";
import { throwIfAborted } from "../errors";
import type { Plan } from "../frame/plan";
import { footerCache, readParquetBatches } from "../parquet";
import { type RetryListener, type Storages, urlOf } from "../storage";
import { collect } from "./collect";
import type { Engine, EngineOptions } from "./contract";
import { driverWork } from "./driver-work";
import { SessionStoppedError } from "./errors";
import type { EventListener } from "./events";
import { explainText } from "./explain";
import { analyzed, type Job } from "./job";
import { lifeCycle } from "./life-cycle";
import { columnsOf } from "./relation";
import type { CachedStages, Relational } from "./relational";
import { countPartitions } from "./run-pipeline";
import { running } from "./running";
import { policyOf } from "./scheduler/policy";
import { scheduler } from "./scheduler/scheduler";
import { type Shipping, shipping } from "./shipping";
import type { Spool } from "./spool";
import type { WorkerPool } from "./workers";
import { write } from "./write";

/** What makes an engine of the driver: who does relational work, where results between stages lie, who runs tasks. */
export interface DriverParts extends Pick<EngineOptions, "conf"> {
  readonly master: string;
  /** What `info` says of the engine: the start of its id, its version and page. */
  readonly about: { readonly name: string; readonly version: string; readonly uiWebUrl?: string };
  /** Gets workers on other machines ready; absent where there is nothing to wait for. */
  start?(signal: AbortSignal): Promise<void>;
  readonly workers: WorkerPool;
  /** Where files are read and written; the workers have their own. */
  readonly storages: Storages;
  /** Calls the listener when those try a request again. */
  onStorageRetry?(listener: RetryListener): void;
  /** Calls the listener with what the user should know of the workers. */
  onNote?(listener: (text: string) => void): void;
  /** Whether workers are on other machines, which see the spool, but not every file that is here. @default false */
  readonly workersElsewhere?: boolean;
  /** Called when the first action starts. */
  openSpool(): Spool;
  /** Called when the first action starts. @param folder for what does not fit into memory */
  openRelational(folder: string): Promise<Relational>;
}

/** An engine that lowers plans into stages of tasks, gives the tasks to workers, and commits what they make. */
export function driver(parts: DriverParts): Engine {
  const { master, conf, workers, storages } = parts;
  const listeners = new Set<EventListener>();
  const life = lifeCycle(parts.start, (event) => {
    for (const listener of listeners) listener(event);
  });
  const { emit } = life;
  parts.onStorageRetry?.(({ url, operation, why, delay }) =>
    emit({ type: "storageRetried", time: Date.now(), url, operation, why, delay }),
  );
  const note = (text: string) => emit({ type: "message", time: Date.now(), level: "warn", text });
  parts.onNote?.(note);
  const id = `${parts.about.name}-${Date.now()}`;
  const tasks = scheduler({ pool: workers, policy: () => policyOf(conf), emit });
  const cached: CachedStages = new Map();
  const footers = footerCache(storages);
  const work = running();
  let opened: Spool | undefined;
  let shipped: Shipping | undefined;
  /** What keeps values that were broadcast. */
  const owners = new WeakMap<ShippedFile, object>();
  let relational: Promise<Relational> | undefined;

  const spool = () => {
    if (work.isClosed) throw new SessionStoppedError();
    opened ??= parts.openSpool();
    return opened;
  };

  const shippings = () => {
    shipped ??= shipping(urlOf(spool().folder), storages, workers.forget, parts.workersElsewhere);
    return shipped;
  };

  /** Runs one action with a scratch folder, on an engine that is ready. */
  function action<T>(signal: AbortSignal | undefined, use: (job: Job) => Promise<T>, plan?: Plan): Promise<T> {
    const run = async (signal: AbortSignal) => {
      await life.started(signal);
      relational ??= parts.openRelational(join(spool().folder, "relational"));
      const shared = {
        conf,
        emit,
        workers,
        scheduler: tasks,
        storages,
        cached,
        footers,
        relational: await relational,
        spool: spool(),
      };
      // The first action opens the relational engine, which takes its time.
      throwIfAborted(signal);
      const scratch = shared.spool.scratch();
      const self = {};
      const ship: Job["ship"] = (content, ...owners) => shippings().ship(content, self, ...owners);
      try {
        return await use({ ...shared, ship, scratch, signal });
      } finally {
        shipped?.release(self);
        scratch.close();
      }
    };
    // The plan keeps what it ships.
    return work.tracked(signal, run, plan);
  }

  async function* execute(plan: Plan, signal?: AbortSignal): AsyncGenerator<RecordBatch> {
    // The rows are read after the action has ended, so they go to a scratch folder of their own.
    const results = spool().scratch();
    try {
      const { files, names } = await action(signal, (job) => collect(plan, results, job), plan);
      for (const file of files) {
        for await (const batch of readParquetBatches(
          { url: file, storage: storages.for(file) },
          signal ? { signal } : {},
        ))
          yield renamedBatch(batch, names);
      }
    } finally {
      results.close();
    }
  }

  return {
    master,
    get parallelism() {
      return workers.parallelism;
    },
    start: (signal) => work.tracked(signal, life.started),

    info: () => ({
      id,
      master,
      state: life.state,
      version: parts.about.version,
      workers: workers.workers.map(({ name }) => name),
      machines: workers.machines?.() ?? [
        {
          endpoint: "local",
          state: "ready",
          slots: workers.parallelism,
          memory: process.memoryUsage.rss(),
          version: parts.about.version,
          problem: undefined,
        },
      ],
      uiWebUrl: parts.about.uiWebUrl,
    }),

    execute,

    write(plan, sink, signal) {
      // Every write ends on the workers: they load while the plan is looked up.
      if (!work.isClosed) workers.start();
      return action(signal, (job) => write(plan, sink, job), plan);
    },

    schema: (plan, signal) =>
      action(signal, async (job) => {
        const analysis = await analyzed(plan, job);
        const { fields } = await analysis.knownSchemaOf(analysis.lowered.root);
        return { type: "struct", fields: fields.map((f, i) => ({ ...f, name: analysis.names[i] ?? f.name })) };
      }),

    partitions: (plan, signal) => action(signal, (job) => countPartitions(plan, job), plan),

    explain: (plan, signal) =>
      action(signal, async (job) => {
        const analysis = await analyzed(plan, job);
        const { source, steps, columns } = analysis.lowered.root;
        // What steps read of the source is theirs to say.
        const all = columnsOf(source).map((id) => ({ from: id, as: id }));
        const relationalPlan = await analysis.explain(source, steps.length === 0 ? columns : all);
        return explainText(plan, analysis.lowered, relationalPlan);
      }),

    onDriver: (work, signal) => action(signal, (job) => driverWork(emit, work, job.signal)),

    note,

    async unpersist(id) {
      const stage = cached.get(id);
      cached.delete(id);
      for (const file of stage?.files ?? []) await storages.for(file.url).remove(file.url);
    },

    setting: conf,
    dialect: "duckdb",
    storages,
    footer: footers.read,

    async broadcast(value) {
      const owner = {};
      const file = { ...(await shippings().ship(serialize(value), owner)) };
      // It stays for as long as who got it, or a plan, has this very object.
      owners.set(file, owner);
      return file;
    },

    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    interrupt: work.interrupt,

    async close() {
      if (!work.close()) return;
      await workers.close();
      await (await relational)?.close();
      opened?.close();
      life.stopped();
    },
  };
}
