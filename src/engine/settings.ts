/** What a session's setting is: its default as text, what it does, and which values it takes. */
export interface Setting {
  readonly default: string | undefined;
  readonly about: string;
  /** What a value must be, for the message, and whether it is. Absent: any text. */
  readonly value?: { readonly is: string; readonly test: (value: string) => boolean };
  /** True where a running session can't change it, since its engine was made with it. */
  readonly isFixedByStart?: boolean;
}

/** Kinds of values. */
export const FLAG = { is: "true or false", test: (value: string) => value === "true" || value === "false" };
export const COUNT = { is: "a whole number of at least 0", test: (value: string) => /^\d+$/.test(value) };
export const POSITIVE = { is: "a positive whole number", test: (value: string) => /^[1-9]\d*$/.test(value) };
export const SIZE = {
  is: "a size such as 512MB",
  test: (value: string) => /^\d+(\.\d+)?\s*([KMGT]i?B)$/i.test(value),
};

/** The settings of every engine that cuts plans into tasks here. Names are Spark's where Spark has one. */
export const DRIVER_SETTINGS = {
  "spark.task.maxFailures": { default: "4", about: "Attempts a task gets before its job fails.", value: POSITIVE },
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
