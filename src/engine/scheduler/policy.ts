/** How tasks are given to workers, as plain data. Times are in milliseconds. */
export interface SchedulerPolicy {
  /** Failed attempts of a task before its stage fails. Spark's `spark.task.maxFailures`. */
  readonly maxFailures: number;
  /** Workers that a task may take with it before its stage fails; counted apart from its failures. */
  readonly maxLosses: number;
  /** Second attempts for stragglers; absent: none. */
  readonly speculation: SpeculationPolicy | undefined;
  /** A worker that beats and says nothing for so long is lost. Spark's `spark.network.timeout`. */
  readonly silence: number;
  /** How long a lost worker is left alone; twice as long after each further loss without a success. */
  readonly backOff: number;
  readonly longestBackOff: number;
  /** Losses in a row after which a worker is lost for good. */
  readonly workerLosses: number;
  /** How long a stage that ends waits for attempts that were told to stop. */
  readonly stopGrace: number;
  /** How long a task that was tried already waits for a worker better suited than one that is free. */
  readonly patience: number;
  /** How long a stage without a single worker waits for one to join. */
  readonly unschedulable: number;
}

/** When a task is a straggler: Spark's settings `spark.speculation.*`, with Spark's meaning. */
export interface SpeculationPolicy {
  /** The part of a stage's tasks that must be done first. */
  readonly quantile: number;
  /** How many times longer than the median an attempt must run. */
  readonly multiplier: number;
  /** No attempt is a straggler before this. */
  readonly minRuntime: number;
  /** How often running attempts are looked at. */
  readonly interval: number;
}

export const DEFAULT_POLICY: SchedulerPolicy = {
  maxFailures: 4,
  maxLosses: 4,
  speculation: undefined,
  silence: 120_000,
  backOff: 200,
  longestBackOff: 30_000,
  workerLosses: 8,
  stopGrace: 900,
  patience: 3_000,
  unschedulable: 120_000,
};

/** The policy that settings ask for; they carry Spark's names. */
export function policyOf(conf: (key: string) => string | undefined): SchedulerPolicy {
  const maxFailures = Number(conf("spark.task.maxFailures") ?? DEFAULT_POLICY.maxFailures);
  const time = (key: string, unit: TimeUnit, usual: number) => {
    const text = conf(key);
    return text === undefined ? usual : (milliseconds(text, unit) ?? usual);
  };
  const speculation = conf("spark.speculation")?.trim().toLowerCase() === "true";
  return {
    ...DEFAULT_POLICY,
    maxFailures,
    maxLosses: maxFailures,
    // A task may take as many workers with it as it may fail, also where there is one worker.
    workerLosses: Math.max(DEFAULT_POLICY.workerLosses, maxFailures + 1),
    silence: time("spark.network.timeout", "s", DEFAULT_POLICY.silence),
    unschedulable: time(
      "spark.scheduler.excludeOnFailure.unschedulableTaskSetTimeout",
      "s",
      DEFAULT_POLICY.unschedulable,
    ),
    speculation: speculation
      ? {
          quantile: Number(conf("spark.speculation.quantile") ?? 0.9),
          multiplier: Number(conf("spark.speculation.multiplier") ?? 3),
          minRuntime: time("spark.speculation.minTaskRuntime", "ms", 100),
          interval: Math.max(1, time("spark.speculation.interval", "ms", 100)),
        }
      : undefined,
  };
}

const UNITS = { us: 0.001, ms: 1, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type TimeUnit = keyof typeof UNITS;

/** `120s`, `100ms`, `2min` as milliseconds, as Spark reads them; undefined for what is no time. */
export function milliseconds(text: string, unit: TimeUnit): number | undefined {
  const match = /^(\d+)\s*(us|ms|s|min|m|h|d)?$/.exec(text.trim().toLowerCase());
  return match ? Number(match[1]) * UNITS[(match[2] as TimeUnit | undefined) ?? unit] : undefined;
}
