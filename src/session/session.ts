import { inspect } from "node:util";
import type { StructType } from "../data/types";
import type { EndpointOptions, Endpoints, Engine, EngineInfo } from "../engine/contract";
import { engineFor } from "../engine/engines";
import { SessionStoppedError } from "../engine/errors";
import type { EngineState, EventListener } from "../engine/events";
import { IllegalArgumentError } from "../errors";
import { DataFrame } from "../frame/dataframe";
import type { Plan } from "../frame/plan";
import { DataFrameReader } from "../frame/reader";
import type { AnyRow } from "../frame/row-types";
import type { Runtime } from "../frame/runtime";
import { checkedViewName, viewNamed, viewsOf } from "../frame/views";
import { kernelHost } from "../kernel/kernel-host";
import { JUPYTER_DISPLAY, type MimeBundle } from "../kernel/mime-bundle";
import { type JobRecord, jobRecords, type SessionReport } from "../record";
import { storageSettings } from "../storage";
import { setActiveStorages } from "../storage/active-storages";
import { VERSION } from "../version";
import { type Catalog, catalogOf } from "./catalog";
import { withCellWork } from "./cell-work";
import { applySettings, RuntimeConfig, type SettingName, type SettingValue } from "./configuration";
import { eventLog } from "./event-log";
import { fileTables } from "./file-tables";
import { localRows } from "./local-rows";
import { queryPlan, rangePlan, shownViews, tableQuery, viewPlan } from "./plans";
import { showProgress } from "./progress";
import { type RunRecord, runRecord } from "./run-record";
import { sessionBundle } from "./session-bundle";
import { SparkConf } from "./spark-conf";
import { SparkContext } from "./spark-context";
import { type WorkerRecord, workerTable } from "./worker-table";

/** The one session that `getOrCreate` gives back while it runs. */
let active: Session | undefined;

/** What a new session has where its builder says nothing. */
let defaults: Readonly<Record<string, string | number | boolean>> = {};

/**
 * The way to data: reads files into DataFrames and runs their work on an engine.
 *
 *     const session = await Session.builder().appName("fruits").master("local[*]").getOrCreate();
 *
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/spark_session.html
 */
export class Session {
  /** A builder for a session, or for the one that runs. */
  static builder(): SessionBuilder {
    return new SessionBuilder();
  }

  /** The session that runs, if there is one. */
  static getActiveSession(): Session | undefined {
    return active;
  }

  /** Settings by name. */
  readonly conf: RuntimeConfig;
  /** This package's version. */
  readonly version: string = VERSION;
  /** Spark's context: `broadcast`, `setLogLevel`, `defaultParallelism`; in a notebook it is `sc`. */
  readonly sparkContext: SparkContext = new SparkContext(this);
  private readonly engine: Engine;
  private readonly history_ = jobRecords();
  private readonly log_ = eventLog();
  private readonly workers_ = workerTable();
  private readonly record_: RunRecord | undefined;
  private readonly hideProgress: () => void;
  private readonly forgetInterrupts: () => void;
  private stopped = false;
  private shownIn: string | undefined;

  /** @internal Use {@link Session.builder}. */
  constructor(conf: RuntimeConfig, token?: () => Promise<string>) {
    this.conf = conf;
    const engine = engineFor(conf.get("spark.master") ?? "local[*]", {
      conf: (key) => conf.get(key),
      secretSettings: conf.unmasked(),
      settings: () => conf.unmasked(),
      storage: storageSettings(conf.unmasked()),
      ...(token ? { token } : {}),
    });
    this.engine = withCellWork(engine);
    this.record_ = runRecord(conf, this.engine);
    this.engine.subscribe((event) => {
      this.history_.record(event);
      this.log_.record(event);
      this.workers_.record(event);
      this.record_?.record(event);
    });
    this.hideProgress = showProgress(this.engine, conf);
    // The cell ends once a cancelled job has taken back what it had written.
    this.forgetInterrupts = kernelHost()?.onInterrupt(() => this.engine.interrupt()) ?? (() => {});
    conf.start();
  }

  /** Names this session: `local-<epoch milliseconds>`, as Spark's local mode does; on Spark the application's id, once that is known. */
  get applicationId(): string {
    return this.engine.info().id;
  }

  /**
   * Where a browser shows the session's jobs. The local engine has no page of its own: while `pomona history serve` runs it is
   * that of this run, from its first job on; open the link that the command prints first, which has the token.
   */
  get uiWebUrl(): string | undefined {
    return this.engine.info().uiWebUrl ?? this.record_?.page;
  }

  /** Where work runs, such as `local[2]`. */
  get master(): string {
    return this.engine.master;
  }

  get appName(): string {
    return this.conf.get("spark.app.name") ?? "";
  }

  /** How many tasks run at once. */
  get defaultParallelism(): number {
    return this.engine.parallelism;
  }

  /** What its DataFrames run on; a model that was loaded is sent to it. */
  get runtime(): Runtime {
    return this.engine;
  }

  private get views(): Map<string, Plan> {
    return viewsOf(this.engine);
  }

  /** Reads files: `session.read.parquet(path)`, `session.read.format("binaryFile").load(path)`. */
  get read(): DataFrameReader {
    this.assertRunning();
    return new DataFrameReader(this.engine);
  }

  /**
   * A DataFrame of rows in memory.
   * @param rows objects, or arrays with `schema` naming the columns
   * @param schema a schema, its text (`"path STRING, size INT"`) or column names. Default: found from the values.
   * @throws IllegalArgumentError where the rows have no common type
   */
  createDataFrame<R extends object = AnyRow>(
    rows: readonly R[],
    schema?: StructType | string | readonly string[],
  ): DataFrame<[R] extends [readonly unknown[]] ? AnyRow : R> {
    this.assertRunning();
    const local = localRows(rows as readonly Readonly<Record<string, unknown>>[], schema);
    return new DataFrame({ op: "local", ...local }, this.engine);
  }

  /** Numbers from `start` to before `end` in a column `id`. With one argument: from 0 to before it. */
  range(start: number, end?: number, step = 1): DataFrame<{ id: number }> {
    this.assertRunning();
    const [from, to] = end === undefined ? [0, start] : [start, end];
    return new DataFrame(rangePlan(from, to, step), this.engine);
  }

  /** Names a DataFrame for `session.sql`; a view of that name is replaced. */
  createOrReplaceTempView(name: string, df: { readonly plan: Plan }): void {
    this.assertRunning();
    this.views.set(checkedViewName(name), df.plan);
  }

  /** Forgets a view; true if there was one. */
  dropTempView(name: string): boolean {
    return this.views.delete(name);
  }

  /**
   * The DataFrame that goes by this name for `session.sql`; on a master `sc://…` also a table of Spark's catalog, such as `db.fruits`, which is
   * looked up when the frame is used. @throws AnalysisError where there is none
   */
  table<R = AnyRow>(name: string): DataFrame<R> {
    this.assertRunning();
    if (this.isOnSpark && !viewNamed(this.views, name)) return this.sql<R>(tableQuery(name));
    return new DataFrame<R>(viewPlan(this.views, name), this.engine);
  }

  /** The views, under PySpark's name for what knows them. */
  get catalog(): Catalog {
    return catalogOf(this.views);
  }

  /**
   * The result of a SQL query over the session's views. The dialect is the relational engine's: DuckDB, or Spark on a master `sc://…`,
   * whose tables it knows too. A command, such as an INSERT, is done there once: with its frame's first
   * action, or when its columns or plan are first asked for. Files stand in a table's place as in Spark, ``FROM parquet.`path` ``.
   * @param views more views for this query alone, by name
   */
  sql<R = AnyRow>(query: string, views: Readonly<Record<string, { readonly plan: Plan }>> = {}): DataFrame<R> {
    this.assertRunning();
    const { dialect } = this.engine;
    if (dialect === "spark") return new DataFrame<R>(queryPlan(query, dialect, this.views, views), this.engine);
    const shown = shownViews(query, this.views);
    if (shown) return this.createDataFrame(shown.rows, shown.schema) as DataFrame as DataFrame<R>;
    const { query: text, tables } = fileTables(query);
    const files = [...tables].map(([name, { format, path }]) => [name, this.read.format(format).load(path)] as const);
    const given = { ...views, ...Object.fromEntries(files) };
    return new DataFrame<R>(queryPlan(text, dialect, this.views, given), this.engine);
  }

  /** Calls `listener` on every event of every job; returns a function that ends it. */
  onEvent(listener: EventListener): () => void {
    return this.engine.subscribe(listener);
  }

  /** The jobs of this session, oldest first. */
  history(): readonly JobRecord[] {
    return this.history_.jobs;
  }

  /**
   * The machines that run its tasks, how they stand and what they have done: one for each endpoint; this one for `local[N]`. On Spark its
   * executors, as Spark's page told last; they count the tasks of all of its sessions.
   */
  workers(): readonly WorkerRecord[] {
    return this.workers_.rows(this.engine.info().machines);
  }

  /**
   * One more machine for its tasks, also while a job runs: a Jupyter server's address, or that with a token, slots and so on. One of
   * that address that takes no tasks, such as one whose token was refused, is replaced.
   * @throws IllegalArgumentError on a master that has none, or where it is there; EndpointError where it can't be used
   */
  async addEndpoint(endpoint: string | EndpointOptions, signal?: AbortSignal): Promise<void> {
    await this.endpoints().add(typeof endpoint === "string" ? { url: endpoint } : endpoint, signal);
  }

  /**
   * Takes a machine away, also while a job runs: its tasks run elsewhere, and its kernel ends.
   * @param url the server's address, or `host:port` as `workers()` shows it
   * @returns false where there is none of that address
   * @throws IllegalArgumentError on a master that has none
   */
  async removeEndpoint(url: string): Promise<boolean> {
    return this.endpoints().remove(url);
  }

  private endpoints(): Endpoints {
    this.assertRunning();
    const { endpoints } = this.engine;
    if (endpoints) return endpoints;
    if (this.isOnSpark) {
      throw new IllegalArgumentError(`A session on ${this.master} has its work done by Spark's executors.`, {
        remedy: "How many there are Spark's own settings say, such as spark.dynamicAllocation.enabled of its server.",
      });
    }
    throw new IllegalArgumentError(`A session on ${this.master} has its workers on this machine alone.`, {
      remedy: 'Start one with master("jupyter://host:8888") for workers on others.',
    });
  }

  /**
   * A report of the run so far, as one HTML file that opens without a network: jobs and stages, a timeline of tasks by worker, rows
   * and bytes over time, slow tasks, retries and losses, messages, versions and settings. A notebook shows it.
   * @param path where it is written, local or `s3://`. Default: nowhere
   * @throws IllegalArgumentError where no record of the run is kept, or no job has run
   */
  report(path?: string): Promise<SessionReport> {
    if (this.record_) return this.record_.report(path);
    return Promise.reject(
      new IllegalArgumentError("This session keeps no record of its run.", {
        remedy: 'Start it with spark.eventLog.enabled "true", the default.',
      }),
    );
  }

  /** What the engine and its workers said, and when jobs started and ended: the last 1,000 lines, oldest first. */
  log(): readonly string[] {
    return this.log_.lines();
  }

  /** The names of the views, sorted. */
  viewNames(): string[] {
    return [...this.views.keys()].sort();
  }

  /** Stops everything that runs now; each ends in a `CancelledError`. The session stays usable. */
  interruptAll(): Promise<void> {
    return this.engine.interrupt();
  }

  /** Ends the session: work that runs is cancelled, threads end, temporary files go. */
  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    if (active === this) {
      active = undefined;
      setActiveStorages(undefined);
    }
    this.forgetInterrupts();
    await this.engine.close();
    await this.record_?.close();
    this.hideProgress();
  }

  /** True once {@link Session.stop} was called. */
  get isStopped(): boolean {
    return this.stopped;
  }

  /** What a notebook shows for it: its id, application, master and state; a line where the cell has shown that already. */
  [JUPYTER_DISPLAY](): MimeBundle {
    const cell = kernelHost()?.parentId;
    if (cell !== undefined && cell === this.shownIn) return { "text/plain": inspect(this) };
    this.shownIn = cell;
    return this.shown();
  }

  /** @internal The same, however often its cell has shown it. */
  shown(): MimeBundle {
    return sessionBundle(this);
  }

  /** What `console.log` shows. */
  [inspect.custom](): string {
    return `Session ${this.applicationId} (${this.appName}, ${this.master}, ${this.state})`;
  }

  /** `busy` while jobs run; `starting` and `failed` where the engine is not ready yet, or could not get ready. */
  get state(): EngineState {
    return this.stopped ? "stopped" : this.engine.info().state;
  }

  /** @internal Whether it is an Apache Spark that runs its work. */
  get isOnSpark(): boolean {
    return this.engine.dialect === "spark";
  }

  /** @internal What the engine says of itself. */
  get engineInfo(): EngineInfo {
    return this.engine.info();
  }

  /** @internal Waits until the engine is ready. */
  async start(signal?: AbortSignal): Promise<void> {
    try {
      await this.engine.start(signal);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  private assertRunning(): void {
    if (this.stopped) throw new SessionStoppedError();
  }
}

/** Collects settings for a session. */
export class SessionBuilder {
  readonly #settings = new Map<string, SettingValue>();
  #token: (() => Promise<string>) | undefined;

  /** The application's name, shown in progress and history. @default "pomona" */
  appName(name: string): this {
    return this.config("spark.app.name", name);
  }

  /**
   * Where work runs: `local` (one worker), `local[N]`, `local[*]` (one for each core), `jupyter://host:8888,host2:8888` (kernels
   * behind Jupyter servers), or `sc://host:15002` (a Spark cluster, by Spark Connect). @default "local[*]"
   */
  master(master: string): this {
    return this.config("spark.master", master);
  }

  /**
   * Gives a Spark server's token where it expires: asked for before the session's first call and again whenever the one at hand is
   * refused, also while work runs. One that stays belongs into the master: `sc://host:443/;token=…`.
   */
  token(token: () => Promise<string>): this {
    this.#token = token;
    return this;
  }

  /** One setting, or several as an object or a `SparkConf`; see `SETTINGS`. Spark's other settings are taken too. */
  config(key: SettingName | (string & {}), value: SettingValue): this;
  config(settings: SparkConf | Readonly<Record<string, SettingValue>>): this;
  config(first: string | SparkConf | Readonly<Record<string, SettingValue>>, value: SettingValue = ""): this {
    const pairs =
      typeof first === "string"
        ? [[first, value] as const]
        : first instanceof SparkConf
          ? first.unmasked()
          : Object.entries(first);
    for (const [key, each] of pairs) this.#settings.set(key, each);
    return this;
  }

  /**
   * The session that runs, with these settings applied to it, or a new one. As in Spark, a running session keeps its
   * master: stop it first to change that.
   * @throws IllegalArgumentError for a setting or a value that does not exist; what the engine says where it can't start
   */
  async getOrCreate(signal?: AbortSignal): Promise<Session> {
    const session = this.getOrCreateSync();
    await session.start(signal);
    return session;
  }

  /** @internal {@link SessionBuilder.getOrCreate} for a kernel, whose cells find a session by touching its name. */
  getOrCreateSync(): Session {
    if (active) {
      applySettings(active.conf, this.#settings);
      return active;
    }
    active = new Session(this.newConf(), this.#token);
    setActiveStorages(active.runtime.storages);
    return active;
  }

  /** @internal Makes these settings those of every later session whose builder says nothing else. @throws IllegalArgumentError */
  setDefaults(): void {
    const before = defaults;
    defaults = {};
    try {
      this.newConf({ isTrial: true });
    } catch (error) {
      defaults = before;
      throw error;
    }
    defaults = Object.fromEntries(this.#settings);
  }

  private newConf(options: { readonly isTrial?: boolean } = {}): RuntimeConfig {
    const conf = new RuntimeConfig();
    conf.setAll(new Map<string, SettingValue>([...Object.entries(defaults), ...this.#settings]), options);
    return conf;
  }
}
