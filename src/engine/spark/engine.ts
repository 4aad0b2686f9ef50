import { randomUUID } from "node:crypto";
import { serialize } from "node:v8";
import { renamedBatch } from "../../data/vectors";
import { refuseDuplicates } from "../../frame/analysis-error";
import type { Plan } from "../../frame/plan";
import { footerCache } from "../../parquet";
import { storagesFrom } from "../../storage";
import { logTo } from "../announce";
import type { Engine, EngineOptions } from "../contract";
import { driverWork } from "../driver-work";
import type { EventListener } from "../events";
import { explainText } from "../explain";
import { lifeCycle } from "../life-cycle";
import { requestedPartitions } from "../pipeline";
import { columnsOf } from "../relation";
import { running } from "../running";
import { analyzed, type Commands, type KeptFrame, planOf, type SparkAnalysis } from "./analysis";
import { type SparkClient, sparkClient } from "./client";
import { parseConnectUrl } from "./connect-url";
import { SparkSessionLostError } from "./errors";
import { fanOut } from "./fan-out";
import { runJob, type SparkJob, sparkJob } from "./jobs";
import { countPartitions } from "./partitions";
import { sparkPaths } from "./paths";
import { hasFunctions, type PipelineContext, readyPlan, readyStages } from "./pipelines";
import { batchesOf, gathered } from "./results";
import { sameError } from "./same-errors";
import { sparkSettings } from "./settings";
import { sparkSql } from "./sql";
import { sparkFacts } from "./watch";
import { refuseOverwrittenInput, write } from "./write";

/** What is said of it, once a session. */
const SAIL =
  "This server is Sail, not Spark: for trying things. It takes no files for functions, tells no progress and little of errors, names part files " +
  "otherwise, and some types, values and errors are not Spark's (docs/spark.md).";

/**
 * The engine on a Spark cluster, through Spark Connect: relational work, reading and writing are Spark's; batch functions run in
 * `node` beside its executors.
 * @param master `sc://host:port/;key=value…`
 */
export function sparkEngine(master: string, options: EngineOptions): Engine {
  const { conf, storage = {} } = options;
  const address = parseConnectUrl(master);
  // The master is shown without what follows the address: a token may be there.
  const shown = `sc://${address.name}`;
  const listeners = new Set<EventListener>();
  const storages = storagesFrom(storage);
  const footers = footerCache(storages);
  const kept = new Map<string, KeptFrame>();
  const work = running();
  const life = lifeCycle(start, (event) => {
    for (const listener of listeners) listener(event);
  });
  const { emit } = life;
  const log = logTo(emit);
  const client: SparkClient = sparkClient(master, {
    onRetry: (why, isLong) => log(isLong ? "warn" : "info", `${why}.`),
    async onNewSession(session) {
      // Where it takes a lost one's place, nothing of that is there.
      kept.clear();
      settings.forget();
      await facts.learn(await client.version(), session);
      await settings.send(session);
    },
    ...(options.token ? { token: options.token } : {}),
  });
  const facts = sparkFacts(emit);
  const paths = sparkPaths(address.name.replace(/:\d+$/, ""), () => facts.isSail);
  const settings = sparkSettings(options, (text) => log("warn", text));
  const fan = fanOut(client, log, conf);
  const queriesOfPlan = sparkSql(client, () => facts.isSail);

  async function start(signal: AbortSignal): Promise<void> {
    await client.ready(signal);
    if (facts.isSail) log("warn", SAIL);
  }

  /** Spark is ready for an action, and has the session's settings. */
  async function begin(signal: AbortSignal): Promise<void> {
    await life.started(signal);
    await client.ready(signal);
    await settings.send(client, signal);
  }

  /** Does one thing on Spark, which is ready for it and has the session's settings. */
  const action = <T>(signal: AbortSignal | undefined, use: (signal: AbortSignal) => Promise<T>, of?: unknown) =>
    work.tracked(
      signal,
      async (signal) => {
        await begin(signal);
        return use(signal).catch((error: unknown) => Promise.reject(sameError(error)));
      },
      of,
    );

  /** @param job what asks, where that is one: commands of SQL are a part of it */
  function lookUp(plan: Plan, signal: AbortSignal, job?: SparkJob) {
    const commands: Commands = {
      stages: (lowered, sources, frames) => readyStages(lowered, sources, pipelineContext(signal, frames)),
      run: (query, name) => async (command) => {
        const own = job ?? jobOf(`sql ${oneLine(query)}`, false, signal);
        if (name !== "") own.begin();
        const work = () => gathered(runJob(client, command, own, name, randomUUID()));
        return job ? work() : own.over(work);
      },
    };
    return analyzed(plan, { client, paths, kept, sql: queriesOfPlan(), commands, signal });
  }

  /** @param frames what is known of the frames that the plan caches, by id */
  const pipelineContext = (signal: AbortSignal, frames: SparkAnalysis["cachedFrames"]): PipelineContext => ({
    fanOut: fan,
    log,
    signal,
    batchRows: Number(conf("spark.sql.execution.arrow.maxRecordsPerBatch")),
    async keep(id, relation) {
      const frame = frames.get(id);
      await client.analyze({ case: "persist", value: { relation } }, signal);
      if (frame) kept.set(id, { frame, relation });
      return relation;
    },
  });

  /** A plan with its functions on workers, ready to run, and what its columns are called. */
  async function ready(plan: Plan, job: SparkJob) {
    const session = client.sessionId;
    // Python on the executors takes as long to start as Spark takes to list many files.
    if (hasFunctions(plan, kept)) fan.prepare(job.signal);
    const analysis = await lookUp(plan, job.signal, job);
    const { root, stages } = analysis.lowered;
    // What workers need is found and sent first, which may take a while and be worth a word.
    if ([root, ...stages.map(({ pipeline }) => pipeline)].some(({ steps }) => steps.length > 0)) job.begin();
    const ready = await readyPlan(analysis, pipelineContext(job.signal, analysis.cachedFrames));
    await analysis.tell();
    // Lost by another action meanwhile: what this plan was sent is not in the new one.
    if (client.sessionId !== session)
      throw new SparkSessionLostError(client.address, session, "another action found so");
    return { ready, analysis };
  }

  const jobOf = (description: string, isLong: boolean, signal: AbortSignal) =>
    sparkJob({ description, isLong, signal, emit, facts });

  return {
    master: shown,
    get parallelism() {
      return facts.parallelism;
    },
    start: (signal) => work.tracked(signal, life.started),

    info: () => ({
      id: facts.applicationId ?? client.sessionId,
      master: shown,
      state: life.state,
      version: facts.version ?? "",
      workers: facts.executors.filter(({ state }) => state === "ready").map(({ endpoint }) => endpoint),
      machines: facts.executors,
      uiWebUrl: facts.uiWebUrl,
    }),

    async *execute(plan, signal) {
      const run = work.begun(signal, plan);
      let job: SparkJob | undefined;
      try {
        await begin(run.signal);
        job = jobOf("collect", false, run.signal);
        const { ready: told, analysis } = await ready(plan, job);
        for await (const batch of batchesOf(runJob(client, planOf(told.relation), job, told.name)))
          yield renamedBatch(batch, analysis.names);
      } catch (thrown) {
        const error = sameError(thrown);
        await job?.over(() => Promise.reject(error));
        throw error;
      } finally {
        // Who reads may have enough before the end.
        await job?.over(async () => {});
        run.end();
      }
    },

    write: (plan, sink, signal) =>
      action(
        signal,
        async (signal) => {
          const job = jobOf(`write ${sink.format} ${paths(sink.path)}`, true, signal);
          const { isSail } = facts;
          return job.over(async () => {
            refuseOverwrittenInput(plan, sink, paths);
            const { ready: told, analysis } = await ready(plan, job);
            refuseDuplicates(analysis.names, "Files have each name once.");
            return write(told, sink, { client, paths, job, isSail });
          });
        },
        plan,
      ),

    schema: (plan, signal) =>
      action(signal, async (signal) => {
        const analysis = await lookUp(plan, signal);
        const { fields } = await analysis.schemaOf(analysis.lowered.root);
        return { type: "struct", fields: fields.map((f, i) => ({ ...f, name: analysis.names[i] ?? f.name })) };
      }),

    partitions: (plan, signal) =>
      action(signal, async (signal) => {
        const job = jobOf("getNumPartitions", false, signal);
        return job.over(async () => {
          const { ready: told, analysis } = await ready(plan, job);
          const { source } = analysis.lowered.root;
          const asked = requestedPartitions(source)?.partitions;
          if (asked !== undefined) return asked;
          return countPartitions(client, told, job);
        });
      }),

    explain: (plan, signal) =>
      action(signal, async (signal) => {
        const analysis = await lookUp(plan, signal);
        const { root } = analysis.lowered;
        const source = analysis.sourceOf(root, columnsOf(root.source), new Map());
        await analysis.tell();
        const explain = { plan: planOf(source), explainMode: 2 } as const;
        const result = await client.analyze({ case: "explain", value: explain }, signal);
        return explainText(plan, analysis.lowered, result.case === "explain" ? result.value.explainString : "");
      }),

    onDriver: (driver, signal) => action(signal, (signal) => driverWork(emit, driver, signal)),

    note: (text) => log("warn", text),

    async unpersist(id) {
      const frame = kept.get(id);
      kept.delete(id);
      if (frame) await client.analyze({ case: "unpersist", value: { relation: frame.relation, blocking: false } });
    },

    setting: conf,
    dialect: "spark",
    storages,
    footer: footers.read,

    broadcast: (value) => action(undefined, (signal) => fan.broadcast(serialize(value), signal)),

    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    interrupt: work.interrupt,

    async close() {
      if (!work.close()) return;
      await client.close();
      await facts.close();
      life.stopped();
    },
  };
}

/** Of a command's text, what tells it from others. */
function oneLine(query: string): string {
  const text = query.trim().replaceAll(/\s+/g, " ");
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
