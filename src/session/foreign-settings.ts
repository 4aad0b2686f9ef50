import { IllegalArgumentError, misspelt } from "../errors";
import settings from "./spark-settings.json";

/**
 * Settings that Spark has and this package has no use for. Notebooks written for a cluster are full of them: they are taken, and
 * said to mean nothing here; but those with which Spark would compute other values are refused where they ask for that.
 */
export type ForeignSetting =
  /** @property about what stands for it here, if anything does */
  | { readonly kind: "unused"; readonly about: string | undefined; readonly isSparks: boolean }
  /** Names of nobody. */
  | { readonly kind: "unknown" };

interface SparkSettings {
  /** Those that `conf.set` changes: default and type. */
  readonly runtime: Readonly<Record<string, readonly (string | null)[]>>;
  /** SQL's that are fixed by the start of a session. */
  readonly static: Readonly<Record<string, string | null>>;
  readonly core: readonly string[];
}

const SPARK = settings as unknown as SparkSettings;
const CORE = new Set(SPARK.core);

/** All names of Spark, for "did you mean". */
export function sparkSettingNames(): string[] {
  return [...Object.keys(SPARK.runtime), ...Object.keys(SPARK.static), ...SPARK.core];
}

/** Spark's setting that is meant by a name which is almost its own; undefined where Spark has the name, or none like it. */
export function nearSparks(key: string): string | undefined {
  return changeability(key) === "unknown" ? misspelt(key, sparkSettingNames()) : undefined;
}

/** What a setting that is none of this package's is. */
export function foreignSetting(key: string): ForeignSetting {
  const isSparks = key in SPARK.runtime || key in SPARK.static || CORE.has(key) || OPEN_FAMILIES.test(key);
  if (!isSparks && !FAMILIES.test(key)) return { kind: "unknown" };
  const about = INSTEAD.find(([pattern]) => pattern.test(key))?.[1];
  return { kind: "unused", about, isSparks };
}

/** Where Spark has names that anyone may make up. */
const OPEN_FAMILIES =
  /^(?:spark\.(?:hadoop|executorEnv|yarn|kubernetes|mesos|sql\.catalog|metrics|databricks|delta|glue|emr|history|livy|jars|submit|driver|executor|dynamicAllocation|ui|eventLog|ssl|network|rpc|shuffle|memory|redaction)\.|(?:fs|hive|hadoop|yarn|dfs|mapreduce|mapred|javax\.jdo|io\.file|parquet)\.)/;

/** Names that Spark would take, whatever they are. */
const FAMILIES = /^spark\./;

/** What to do here in place of a setting. */
const INSTEAD: readonly (readonly [pattern: RegExp, about: string])[] = [
  [/^spark\.(?:driver|executor|memory)\..*(?:[mM]emory|storageFraction|fraction)/, "memory: pomona.duckdb.memory"],
  [/^spark\.(?:executor|cores|dynamicAllocation|yarn|kubernetes|driver)\./, 'workers: master "local[N]"'],
  [/^spark\.(?:default\.parallelism|sql\.shuffle\.partitions)$/, "parts: df.repartition(n)"],
  [/^spark\.sql\.parquet\.compression\.codec$/, 'compression: df.write.option("compression", …)'],
  [/^spark\.(?:jars|submit)/, 'code for workers: udf(fn, { imports: ["./file"] })'],
  [/^spark\.local\.dir$/, "temporary files: pomona.spool.dir"],
  [/^spark\.sql\.execution\.arrow\.pyspark\./, "Arrow is always used"],
];

/** Spark's default of a setting; undefined where it has none. */
export function sparkDefault(key: string): { readonly value: string | undefined } | undefined {
  const found = key in SPARK.runtime ? SPARK.runtime[key]?.[0] : key in SPARK.static ? SPARK.static[key] : undefined;
  if (found === undefined) return undefined;
  return { value: found ?? undefined };
}

/** Whether Spark lets `conf.set` change it while a session runs; `unknown` for names that Spark does not have. */
export function changeability(key: string): "runtime" | "static" | "core" | "unknown" {
  if (key in SPARK.runtime) return "runtime";
  if (key in SPARK.static) return "static";
  return CORE.has(key) ? "core" : "unknown";
}

/**
 * Checks the value of a setting of Spark; true where it says what is done here anyway.
 * @throws IllegalArgumentError for a value that Spark does not take, and for one with which Spark computes other values than
 *   this package does
 */
export function checkForeignValue(key: string, value: string): boolean {
  const type = SPARK.runtime[key]?.[1];
  if (type && !(VALUES[type]?.test(value.trim()) ?? true)) {
    throw new IllegalArgumentError(
      `[INVALID_CONF_VALUE.TYPE_MISMATCH] The value '${value}' in the config "${key}" is invalid. It should be a/an '${type}' value. SQLSTATE: 22022`,
    );
  }
  const fixed = FIXED[key] ?? legacy(key);
  if (!fixed) return sparkDefault(key)?.value === value;
  if (fixed.values.some((each) => each.toLowerCase() === value.trim().toLowerCase())) return true;
  const [usual = ""] = fixed.values;
  throw new IllegalArgumentError(`${key} can't be ${JSON.stringify(value)}: ${fixed.because}.`, {
    remedy: `${fixed.remedy ?? "Leave it out"}; the one value taken here is Spark's default, ${JSON.stringify(usual)}.`,
  });
}

const VALUES: Readonly<Record<string, RegExp>> = {
  boolean: /^(?:true|false)$/i,
  int: /^[+-]?\d+$/,
  long: /^[+-]?\d+$/,
  double: /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?[df]?$/i,
};

/** A setting with which Spark computes other values, writes other data or drops rows. */
interface Fixed {
  /** Those that say what is done here, Spark's default first. */
  readonly values: readonly string[];
  /** What another value would change. */
  readonly because: string;
  readonly remedy?: string;
}

const UTC = ["UTC", "Etc/UTC", "GMT", "Z", "+00:00", "Etc/GMT", "UCT", "Zulu", "Universal", "+0", "GMT+0", "UTC+0"];

const FIXED: Readonly<Record<string, Fixed>> = {
  "spark.sql.ansi.enabled": {
    values: ["true"],
    because: "overflows, casts and divisions by zero are errors here, as in Spark's ANSI mode",
  },
  "spark.sql.ansi.enforceReservedKeywords": { values: ["false"], because: "it changes what SQL text means" },
  "spark.sql.ansi.relationPrecedence": { values: ["false"], because: "it changes what SQL text means" },
  "spark.sql.session.timeZone": {
    values: UTC,
    because: "dates and times are those of UTC here",
    remedy: "Leave it out, and shift what is shown by adding to the column",
  },
  "spark.sql.caseSensitive": {
    values: ["false"],
    because: "columns are found without regard to case here",
    remedy: "Leave it out, and rename columns that differ by case alone",
  },
  "spark.sql.timestampType": {
    values: ["TIMESTAMP_LTZ"],
    because: "timestamps without a zone are not the default here",
  },
  "spark.sql.sources.default": {
    values: ["parquet"],
    because: "load and save without a format mean Parquet here",
    remedy: "Name the format: read.format(…), write.format(…)",
  },
  "spark.sql.sources.partitionOverwriteMode": {
    values: ["STATIC"],
    because: "overwrite replaces the whole folder here",
    remedy: "Leave it out, and write each partition's folder by its own path",
  },
  "spark.sql.files.ignoreCorruptFiles": {
    values: ["false"],
    because: "it would lose the rows of damaged files in silence",
    remedy: "Leave it out, and take the file that the error names out of the folder",
  },
  "spark.sql.files.ignoreMissingFiles": {
    values: ["false"],
    because: "it would lose the rows of missing files in silence",
  },
  "spark.sql.parquet.mergeSchema": {
    values: ["false"],
    because: "schemas are merged where a read asks for it",
    remedy: 'Leave it out, and use read.option("mergeSchema", true)',
  },
  "spark.sql.parquet.binaryAsString": {
    values: ["false"],
    because: "binary columns are read as they are",
    remedy: 'Leave it out, and cast the column: col("b").cast("string")',
  },
  "spark.sql.parquet.int96AsTimestamp": { values: ["true"], because: "INT96 is read as timestamps" },
  "spark.sql.parquet.inferTimestampNTZ.enabled": { values: ["true"], because: "it changes columns' types" },
  "spark.sql.parquet.int96TimestampConversion": { values: ["false"], because: "it shifts timestamps" },
  "spark.sql.parquet.datetimeRebaseModeInRead": {
    values: ["CORRECTED", "EXCEPTION"],
    because: "it shifts dates before 1582",
  },
  "spark.sql.parquet.datetimeRebaseModeInWrite": {
    values: ["CORRECTED", "EXCEPTION"],
    because: "it shifts dates before 1582",
  },
  "spark.sql.parquet.int96RebaseModeInRead": {
    values: ["CORRECTED", "EXCEPTION"],
    because: "it shifts dates before 1582",
  },
  "spark.sql.parquet.int96RebaseModeInWrite": {
    values: ["CORRECTED", "EXCEPTION"],
    because: "it shifts dates before 1582",
  },
  "spark.sql.mapKeyDedupPolicy": { values: ["EXCEPTION"], because: "it changes what maps hold" },
  "spark.sql.decimalOperations.allowPrecisionLoss": { values: ["true"], because: "it changes the scale of decimals" },
  "spark.sql.function.concatBinaryAsString": { values: ["false"], because: "it changes what concat gives" },
  "spark.sql.retainGroupColumns": { values: ["true"], because: "groups keep their columns here" },
  "spark.sql.groupByOrdinal": { values: ["true"], because: "it changes what SQL text means" },
  "spark.sql.orderByOrdinal": { values: ["true"], because: "it changes what SQL text means" },
  "spark.sql.groupByAliases": { values: ["true"], because: "it changes what SQL text means" },
  "spark.sql.parser.escapedStringLiterals": { values: ["false"], because: "it changes what SQL text means" },
  "spark.sql.parser.quotedRegexColumnNames": { values: ["false"], because: "it changes what SQL text means" },
  "spark.sql.columnNameOfCorruptRecord": {
    values: ["_corrupt_record"],
    because: "it names a column that reads make",
    remedy: 'Leave it out, and use read.option("columnNameOfCorruptRecord", …)',
  },
  "spark.sql.jsonGenerator.ignoreNullFields": {
    values: ["true"],
    because: "it changes what JSON files hold",
    remedy: 'Leave it out, and use write.option("ignoreNullFields", …)',
  },
  "spark.sql.binaryOutputStyle": { values: ["HEX_DISCRETE"], because: "show prints bytes as Spark does by default" },
  "spark.sql.files.ignoredPathSegmentRegex": { values: ["^[._]"], because: "it changes which files are read" },
  "spark.sql.sources.binaryFile.maxLength": { values: ["2147483647"], because: "it changes which files are read" },
};

/** Older behaviour: another value than Spark's default computes something else. */
function legacy(key: string): Fixed | undefined {
  if (!/^spark\.sql\.(?:pyspark\.)?legacy\./.test(key) || HARMLESS.test(key)) return undefined;
  const usual = sparkDefault(key)?.value;
  const because = "it brings back what earlier versions of Spark computed";
  return { values: usual === undefined ? [] : [usual], because };
}

/** Commands and catalogs, of which there are none here. */
const HARMLESS =
  /legacy\.(?:setCommandRejectsSparkCoreConfs|replaceDatabricksSparkAvro|createHiveTableByDefault|allowNonEmptyLocationInCTAS|keepCommandOutputSchema|useV1Command|notReserveProperties|execution\.)/;
