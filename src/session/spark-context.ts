import { inspect } from "node:util";
import { IllegalArgumentError } from "../errors";
import type { AnyRow } from "../frame/row-types";
import { Broadcast } from "../user-functions";
import type { RuntimeConfig } from "./configuration";
import { SparkConf } from "./spark-conf";

/** What a context tells of its session. */
export interface ContextSession {
  readonly conf: RuntimeConfig;
  readonly applicationId: string;
  readonly appName: string;
  readonly master: string;
  readonly version: string;
  readonly defaultParallelism: number;
  readonly uiWebUrl: string | undefined;
  interruptAll(): Promise<void>;
  stop(): Promise<void>;
}

/** Thrown by what Spark has for RDDs or its JVM and there is nothing of here; the message says what to use. */
export class NotHereError extends IllegalArgumentError {}

/** Log4j's levels, which Spark takes. */
const LEVELS = ["ALL", "DEBUG", "ERROR", "WARN", "INFO", "OFF", "FATAL", "TRACE"];

/**
 * The part of Spark's context that notebooks use: `session.sparkContext`, in a notebook `sc`. There are no RDDs here, so that what
 * makes them says how a DataFrame does the same.
 * @see https://spark.apache.org/docs/latest/api/python/reference/api/pyspark.SparkContext.html
 */
export class SparkContext {
  /** When the session was made, in milliseconds since 1970. */
  readonly startTime = Date.now();

  /** @internal Use `session.sparkContext`. */
  constructor(private readonly session: ContextSession) {}

  get applicationId(): string {
    return this.session.applicationId;
  }

  get appName(): string {
    return this.session.appName;
  }

  get master(): string {
    return this.session.master;
  }

  /** This package's version. */
  get version(): string {
    return this.session.version;
  }

  /** How many tasks run at once. */
  get defaultParallelism(): number {
    return this.session.defaultParallelism;
  }

  /** At most two, as in Spark. */
  get defaultMinPartitions(): number {
    return Math.min(2, this.session.defaultParallelism);
  }

  get uiWebUrl(): string | undefined {
    return this.session.uiWebUrl;
  }

  /**
   * A value for user functions to read on workers; `udf(fn, { broadcast: { lut } })` takes a plain value as well.
   * @throws BroadcastValueError for what can't travel to a worker
   */
  broadcast<T>(value: T): Broadcast<T> {
    return new Broadcast(value);
  }

  /** Checks the level as Spark does. What workers say is in `session.log()`, whatever the level. @throws IllegalArgumentError */
  setLogLevel(level: string): void {
    if (LEVELS.includes(String(level).toUpperCase())) return;
    throw new IllegalArgumentError(`Supplied level ${level} did not match one of: ${LEVELS.join(",")}.`);
  }

  /** A copy of the settings. */
  getConf(): SparkConf {
    return new SparkConf(this.session.conf.unmasked());
  }

  /** Stops what runs now. */
  cancelAllJobs(): Promise<void> {
    return this.session.interruptAll();
  }

  /** Ends the session. */
  stop(): Promise<void> {
    return this.session.stop();
  }

  /** @throws NotHereError with the way to a DataFrame */
  parallelize(_rows?: Iterable<unknown>, _slices?: number): AnyRow {
    throw new NotHereError("sc.parallelize makes an RDD, and there are none here.", {
      remedy:
        "Rows in memory become a DataFrame: session.createDataFrame(rows); what map does, a user function does on the workers: " +
        'df.select(udf(fn, { returns: "double" })("column")), or df.mapBatches(fn, { schema }) for whole rows.',
    });
  }

  /** @throws NotHereError with the way to a DataFrame */
  range(_start: number, _end?: number): AnyRow {
    throw new NotHereError("sc.range makes an RDD, and there are none here.", { remedy: "Use session.range(n)." });
  }

  /** @throws NotHereError with the way to a DataFrame */
  textFile(_path?: string): AnyRow {
    throw new NotHereError("sc.textFile makes an RDD, and there are none here.", {
      remedy: 'Read lines into a DataFrame: session.read.option("sep", "\\u0001").csv(path).',
    });
  }

  /** @throws NotHereError with the way to a DataFrame */
  binaryFiles(_path?: string): AnyRow {
    throw new NotHereError("sc.binaryFiles makes an RDD, and there are none here.", {
      remedy: 'Read files into a DataFrame: session.read.format("binaryFile").load(path).',
    });
  }

  /** @throws NotHereError with the way to a DataFrame */
  wholeTextFiles(_path?: string): AnyRow {
    throw new NotHereError("sc.wholeTextFiles makes an RDD, and there are none here.", {
      remedy:
        'Read files into a DataFrame, session.read.format("binaryFile").load(path), and cast the content to a string.',
    });
  }

  /** @throws NotHereError with the way to a module */
  addPyFile(_path?: string): AnyRow {
    throw new NotHereError("There is no Python on the workers.", {
      remedy: 'A user function brings its modules along: udf(fn, { returns: "double", imports: ["./features"] }).',
    });
  }

  /** @throws NotHereError with the way to a module */
  addFile(_path?: string): AnyRow {
    throw new NotHereError("Files are not sent to workers by sc.addFile.", {
      remedy: "Read the file here and pass what is in it: udf(fn, { broadcast: { table } }).",
    });
  }

  /** @throws NotHereError with the way to an aggregate */
  accumulator(_value?: unknown): AnyRow {
    throw new NotHereError("There are no accumulators here: what a worker adds up never comes back.", {
      remedy: "Return a value for each row and add it up: df.agg(sum(column)).",
    });
  }

  /** What `console.log` shows, as PySpark writes it. */
  [inspect.custom](): string {
    return `<SparkContext master=${this.master} appName=${this.appName}>`;
  }
}
