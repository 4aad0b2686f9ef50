import { milliseconds } from "./scheduler/policy";

/** What a session's setting is: its default as text, what it does, and which values it takes. */
export interface Setting {
  readonly default: string | undefined;
  /** The default where tasks run on other machines, if it is another one. */
  readonly defaultElsewhere?: string;
  readonly about: string;
  /** What a value must be, for the message, and whether it is. Absent: any text. */
  readonly value?: { readonly is: string; readonly test: (value: string) => boolean };
  /** True where a running session can't change it, since its engine was made with it. */
  readonly isFixedByStart?: boolean;
}

/** Kinds of values. */
export const FLAG = { is: "true or false", test: (value: string) => /^(?:true|false)$/i.test(value) };
export const COUNT = { is: "a whole number of at least 0", test: (value: string) => /^\d+$/.test(value) };
export const POSITIVE = {
  is: "a positive whole number",
  test: (value: string) => /^[1-9]\d*$/.test(value) && Number(value) < 2 ** 31,
};
export const SIZE = {
  is: "a size such as 512MB",
  test: (value: string) => /^\d+(\.\d+)?\s*([KMGT]i?B)$/i.test(value),
};

const FRACTION = {
  is: "a number from 0 to 1",
  test: (value: string) => /^(?:0|1|0?\.\d+|1\.0*|0\.\d*)$/.test(value),
};
const FACTOR = { is: "a number of at least 1", test: (value: string) => /^[1-9]\d*(?:\.\d+)?$/.test(value) };
export const TIME = {
  is: "a time such as 120s, 2min or 100ms",
  test: (value: string) => (milliseconds(value, "s") ?? Number.POSITIVE_INFINITY) <= Number.MAX_SAFE_INTEGER,
};
const SOME_TIME = {
  is: "a time of at least a millisecond, such as 120s, 2min or 100ms",
  test: (value: string) => TIME.test(value) && milliseconds(value, "s")! >= 1,
};

/** The settings of every engine that cuts plans into tasks here. Names are Spark's where Spark has one. */
export const DRIVER_SETTINGS = {
  "spark.task.maxFailures": {
    default: "4",
    about: "Attempts a task gets before its job fails; counted apart from them, workers it may take with it.",
    value: POSITIVE,
  },
  "spark.network.timeout": {
    default: "120s",
    about: "A worker on another machine that says nothing for so long is lost.",
    value: SOME_TIME,
  },
  "spark.scheduler.excludeOnFailure.unschedulableTaskSetTimeout": {
    default: "120s",
    about: "How long a stage waits for a worker where all were lost for good.",
    value: TIME,
  },
  "spark.speculation": {
    default: "false",
    // Machines differ, and one that is slow would hold up all others.
    defaultElsewhere: "true",
    about: "Whether a task that runs far longer than the others gets a second attempt on another worker.",
    value: FLAG,
  },
  "spark.speculation.quantile": {
    default: "0.9",
    // A slow machine of two has half of the tasks that are left at the end, not a tenth.
    defaultElsewhere: "0.5",
    about: "The part of a stage's tasks that must be done before that.",
    value: FRACTION,
  },
  "spark.speculation.multiplier": {
    default: "3",
    about: "How many times longer than the median a task must run for that.",
    value: FACTOR,
  },
  "spark.speculation.minTaskRuntime": {
    default: "100ms",
    // What is shorter is not worth the way.
    defaultElsewhere: "1s",
    about: "How long at least.",
    value: TIME,
  },
  "spark.speculation.interval": { default: "100ms", about: "How often tasks are looked at for that.", value: TIME },
  "spark.sql.execution.arrow.maxRecordsPerBatch": {
    default: "1024",
    about: "Most rows a worker holds at a time; with file content in them at most 16.",
    value: POSITIVE,
  },
  "spark.sql.sources.partitionColumnTypeInference.enabled": {
    default: "true",
    about: "Whether the values of folders k=v are looked at for their type; else they are text.",
    value: FLAG,
  },
  "pomona.write.leaseSeconds": {
    default: "120",
    about: "How long a write keeps its folder without a sign of life, where its process can't be looked up.",
    value: POSITIVE,
  },
  "pomona.spool.dir": {
    default: undefined,
    about: "Folder for intermediate files. Default: the system's.",
    isFixedByStart: true,
  },
  "pomona.duckdb.memory": {
    default: "512MB",
    about: "Memory of the relational engine; beyond it, it spills to disk.",
    value: SIZE,
    isFixedByStart: true,
  },
} as const satisfies Record<string, Setting>;
