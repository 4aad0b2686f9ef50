import { inspect } from "node:util";
import { type DataFrame, NotHereError, Session, SparkConf, SparkContext, SparkSession } from "pomona";
import { udf } from "pomona/functions";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { golden } from "../support/golden";

type Answer = { readonly value?: unknown; readonly printed?: string; readonly error?: string };
type Answers<Call> = readonly (readonly [call: Call, answer: Answer])[];

const SPARK = golden<{
  readonly conf: Answers<readonly [method: "get" | "set" | "unset" | "isModifiable", ...values: never[]]>;
  readonly levels: Answers<string>;
  readonly shows: Answers<readonly never[]>;
  readonly nested: string;
  readonly schemas: Answers<number | null>;
  readonly dtypes: readonly (readonly [string, string])[];
}>("spark-session");

let session: Session;
const said = vi.spyOn(console, "warn").mockImplementation(() => {});
const saidText = () => said.mock.calls.map(([text]) => String(text)).join("\n");

beforeAll(async () => {
  const builder = Session.builder().appName("golden").master("local[1]").config("pomona.progress", "off");
  session = await builder.getOrCreate();
});
afterAll(() => session.stop());
beforeEach(() => {
  said.mockClear();
});

/** What Spark does not answer otherwise than this package: refusals name what Spark takes. */
const OWN = new Map([["isModifiable spark.master", false]]);

describe("session.conf answers as Spark's", () => {
  it.each(SPARK.conf.map(([call, answer]) => ({ call: call.join(" "), given: call, answer })))(
    "$call",
    ({ call, given: [method, ...values], answer }) => {
      const ask = () => (session.conf[method] as (...values: never[]) => unknown)(...values) ?? null;
      if (answer.error !== undefined) {
        // Spark writes the SQLSTATE of one of them behind an address.
        expect(ask).toThrow(answer.error.replace(/ SQLSTATE.*/, ""));
      } else {
        expect(ask()).toEqual(OWN.get(call) ?? answer.value ?? null);
      }
    },
  );

  it("lists what is set", () => {
    session.conf.set("spark.sql.shuffle.partitions", 7);
    expect(session.conf.getAll()).toMatchObject({ "spark.sql.shuffle.partitions": "7", "spark.app.name": "golden" });
    session.conf.unset("spark.sql.shuffle.partitions");
    expect(Object.keys(session.conf.getAll())).not.toContain("spark.sql.shuffle.partitions");
  });

  it("refuses what is no name and no value", () => {
    expect(() => session.conf.get(3 as unknown as string)).toThrow(/name of a setting is text/);
    expect(() => session.conf.set("spark.sql.shuffle.partitions", null as unknown as string)).toThrow(/must be text/);
    expect(() => session.conf.set("spark.master", "local[2]")).toThrow(/CANNOT_MODIFY_CONFIG/);
  });
});

describe("secrets among the settings", () => {
  const access = "spark.hadoop.fs.s3a.access.key";
  const secret = "spark.hadoop.fs.s3a.bucket.fruits.secret.key";
  const token = "fs.s3a.session.token";
  const java = "spark.driver.extraJavaOptions";
  const proxy = "spark.executorEnv.HTTP_PROXY";
  const given = {
    ...{ [access]: "hush 1", [secret]: "hush 2", [token]: "hush 3", [java]: "-Da.secret.key=hush4 -Db=see" },
    [proxy]: "http://me:hush8@proxy:3128/",
  };

  it("are taken, and shown as *** wherever settings are", async () => {
    await session.stop();
    const builder = Session.builder().master("local[1]").config("pomona.progress", "off").config(given);
    session = await builder.getOrCreate();
    const { conf, sparkContext } = session;
    const own = new SparkConf(given);
    expect([conf.get(access), conf.get(secret), conf.get(token)]).toEqual(["***", "***", "***"]);
    expect(conf.get(java)).toBe("-Da.secret.key=*** -Db=see");
    expect(conf.get(proxy)).toBe("http://me:***@proxy:3128/");
    expect(own.get(secret)).toBe("***");
    await expect(Promise.resolve().then(() => conf.set(token, "hush 5"))).rejects.toThrow(/CANNOT_MODIFY/);
    expect(() => conf.set(secret, ["hush 6"] as never)).toThrow(/must be text, a number or a boolean, not \*\*\*/);
    Session.builder()
      .config({ ...given, [secret]: "hush 7" })
      .getOrCreateSync();
    expect(saidText()).toContain(`${secret} (***)`);
    const all = { depth: 9, showHidden: true };
    const shown = [
      session,
      session.runtime,
      conf,
      own,
      builder,
      sparkContext,
      sparkContext.getConf(),
      conf.getAll(),
      own.getAll(),
    ];
    const texts = [...shown.map((one) => inspect(one, all)), own.toDebugString(), saidText()];
    for (const text of texts) expect(text).not.toContain("hush");
    expect(own.toDebugString()).toContain(`${secret}=***`);
  });

  it("go from a session's settings to the next one, and are asked for where there are none", async () => {
    said.mockClear();
    expect(
      Session.builder()
        .config(session.conf.getAll() as Record<string, string>)
        .getOrCreateSync(),
    ).toBe(session);
    expect(Session.builder().config(session.sparkContext.getConf()).getOrCreateSync()).toBe(session);
    expect(said).not.toHaveBeenCalled();
    const copy = session.sparkContext.getConf();
    await session.stop();
    session = await Session.builder().config(copy).getOrCreate();
    expect(session.conf.unmasked()).toMatchObject(given);
    await session.stop();
    expect(() => Session.builder().config(secret, "***").getOrCreateSync()).toThrow(
      /in place of a secret.*environment/s,
    );
    session = await Session.builder()
      .appName("golden")
      .master("local[1]")
      .config("pomona.progress", "off")
      .getOrCreate();
  });
});

describe("settings of Spark that mean nothing here", () => {
  it("are taken by a builder, and said once, with what stands for them", async () => {
    await session.stop();
    session = SparkSession.builder
      .appName("P8")
      .master("local")
      .config("pomona.progress", "off")
      .config("spark.sql.parquet.writeLegacyFormat", "true")
      .config("spark.driver.memory", "4g")
      .config("spark.executor.memoryOverhead", "1g")
      .config("spark.executor.instances", 4)
      .config("spark.hadoop.fs.s3a.impl", "org.apache.hadoop.fs.s3a.S3AFileSystem")
      .config("spark.jars.packages", "org.apache.hadoop:hadoop-aws:3.3.4")
      .config("spark.sql.shuffle.partitions", 200)
      .getOrCreate();
    expect(said).toHaveBeenCalledTimes(1);
    expect(saidText()).toBe(
      "Settings of Spark that mean nothing here, and are left alone: " +
        "spark.sql.parquet.writeLegacyFormat, spark.hadoop.fs.s3a.impl; " +
        "spark.driver.memory, spark.executor.memoryOverhead (memory: pomona.duckdb.memory); " +
        'spark.executor.instances (workers: master "local[N]"); ' +
        'spark.jars.packages (code for workers: udf(fn, { imports: ["./file"] })).',
    );
    session.conf.set("spark.sql.parquet.writeLegacyFormat", false);
    session.conf.set("spark.sql.parquet.writeLegacyFormat", true);
    expect(said).toHaveBeenCalledTimes(1);
    expect([session.appName, session.master]).toEqual(["P8", "local"]);
    expect(session.conf.get("spark.driver.memory")).toBe("4g");
    expect(session.conf.get("spark.sql.parquet.writeLegacyFormat")).toBe("true");
  });

  it("are left as they are by a builder that finds a session", async () => {
    const again = SparkSession.builder.master("local[7]").config("spark.driver.memory", "9g").getOrCreate();
    expect(again).toBe(session);
    expect(saidText()).toBe(
      "A session runs already and keeps what its start has fixed: spark.master (local), spark.driver.memory (4g). To change it, stop the session first.",
    );
    expect(await SparkSession.builder.getOrCreate()).toBe(session);
    expect(SparkSession.getActiveSession()).toBe(session);
  });

  it.each([
    "spark.dynamicAllocation.enabled",
    "spark.yarn.am.memory",
    "spark.serializer",
    "spark.kryoserializer.buffer.max",
    "spark.sql.execution.arrow.pyspark.enabled",
    "spark.sql.adaptive.enabled",
    "spark.sql.legacy.setCommandRejectsSparkCoreConfs",
    "spark.ui.port",
    "spark.some.config.option",
    "hive.exec.dynamic.partition",
    "fs.s3a.access.key",
  ])("%s", (name) => {
    const value = session.conf.get(name, "") === "true" ? "false" : "true";
    expect(() => SparkSession.builder.config(name, value).getOrCreate()).not.toThrow();
  });
});

describe("settings that are almost Spark's", () => {
  it.each([
    ["spark.sql.shufle.partitions", "spark.sql.shuffle.partitions"],
    ["spark.sql.shuffle.partition", "spark.sql.shuffle.partitions"],
    ["spark.executor.memroy", "spark.executor.memory"],
    ["spark.driver.maxResultsSize", "spark.driver.maxResultSize"],
    ["spark.serialiser", "spark.serializer"],
  ])("%s is taken, and asked about once", (name, near) => {
    session.conf.set(name, "7");
    session.conf.set(name, "8");
    expect(saidText()).toBe(`Spark lists no setting ${name}, did you mean ${near}? It is left alone.`);
    expect(session.conf.get(name)).toBe("8");
    session.conf.unset(name);
  });
});

describe("settings with which Spark computes other values", () => {
  it.each([
    ["spark.sql.ansi.enabled", true, false],
    ["spark.sql.session.timeZone", "UTC", "Europe/Paris"],
    ["spark.sql.session.timeZone", "Etc/UTC", "Mars/Phobos"],
    ["spark.sql.caseSensitive", "false", "true"],
    ["spark.sql.legacy.timeParserPolicy", "CORRECTED", "LEGACY"],
    ["spark.sql.legacy.sizeOfNull", true, false],
    ["spark.sql.legacy.setopsPrecedence.enabled", "false", "TRUE"],
    ["spark.sql.sources.partitionOverwriteMode", "static", "dynamic"],
    ["spark.sql.sources.default", "parquet", "csv"],
    ["spark.sql.files.ignoreCorruptFiles", "false", "true"],
    ["spark.sql.parquet.mergeSchema", false, true],
    ["spark.sql.parquet.binaryAsString", false, true],
    ["spark.sql.parquet.int96RebaseModeInRead", "CORRECTED", "LEGACY"],
    ["spark.sql.timestampType", "TIMESTAMP_LTZ", "TIMESTAMP_NTZ"],
    ["spark.sql.mapKeyDedupPolicy", "EXCEPTION", "LAST_WIN"],
  ])("%s may be %s, and is refused as %s", (name, usual, other) => {
    session.conf.set(name, usual);
    expect(() => session.conf.set(name, other)).toThrow(
      new RegExp(`^${name.replaceAll(".", "\\.")} can't be "${String(other)}": `),
    );
    expect(session.conf.get(name)).toBe(String(usual));
    session.conf.unset(name);
    expect(said).not.toHaveBeenCalled();
  });

  it("also before a session starts, and legacy ones that Spark does not have any more", () => {
    expect(() => session.conf.set("spark.sql.legacy.parquet.datetimeRebaseModeInWrite", "LEGACY")).toThrow(
      /earlier versions/,
    );
    expect(() => new SparkConf({ "spark.sql.caseSensitive": true }).set("x", 1)).not.toThrow();
  });
});

describe("names of nobody", () => {
  it.each([
    ["nonsense", /There is no setting "nonsense"/],
    ["spark.task.maxFailure", /Did you mean spark\.task\.maxFailures/],
    ["pomona.duckdb.memry", /Did you mean pomona\.duckdb\.memory/],
    ["park.executor.memory", /Did you mean spark\.executor\.memory/],
  ])("%s", (name, message) => {
    expect(() => session.conf.set(name, "1")).toThrow(message);
    expect(() => SparkSession.builder.config(name, "1").getOrCreate()).toThrow(message);
  });
});

describe("the context", () => {
  it("tells of the session", () => {
    const sc = session.sparkContext;
    expect(SparkContext.getOrCreate(new SparkConf().setAppName("P8"))).toBe(sc);
    expect([sc.appName, sc.master, sc.version, sc.applicationId, sc.defaultParallelism, sc.uiWebUrl]).toEqual([
      "P8",
      "local",
      session.version,
      session.applicationId,
      1,
      undefined,
    ]);
    expect(inspect(sc)).toBe("<SparkContext master=local appName=P8>");
    expect(sc.getConf().get("spark.driver.memory")).toBe("4g");
    expect(sc.startTime).toBeLessThanOrEqual(Date.now());
  });

  it.each(SPARK.levels.map(([level, answer]) => ({ level, answer })))("setLogLevel($level)", ({ level, answer }) => {
    const set = () => session.sparkContext.setLogLevel(level);
    if (answer.error === undefined) expect(set).not.toThrow();
    else expect(set).toThrow(answer.error.replace("requirement failed: ", ""));
  });

  it("broadcasts values for user functions", async () => {
    const lut = session.sparkContext.broadcast(
      new Map([
        [0, "zero"],
        [1, "one"],
      ]),
    );
    const name = udf((id: number) => lut.value.get(id) ?? "?", { returns: "string", broadcast: { lut } });
    const rows = await session.range(3).select(name("id").alias("name")).collect();
    expect(rows).toEqual([{ name: "zero" }, { name: "one" }, { name: "?" }]);
    expect(lut.value.get(0)).toBe("zero");
    lut.unpersist();
    expect(String(lut)).toMatch(/^Broadcast\(\d+\)$/);
    lut.destroy();
    expect(() => lut.value).toThrow(/was destroyed/);
    expect(() => session.sparkContext.broadcast({ session })).toThrow(
      /^Cannot broadcast value: value\.session is a Session/,
    );
    expect(() => session.sparkContext.broadcast(() => 1)).toThrow(/is a function/);
  });

  it("a function that uses one without naming it is refused where it is written, as is one that uses the session", () => {
    const lut = session.sparkContext.broadcast([1]);
    expect(() => udf((id: number) => lut.value[id], { returns: "long" })).toThrow(
      /Pass the value of `lut`: broadcast: \{ lut \}/,
    );
    expect(() => udf(() => session.range(3), { returns: "long", broadcast: { session } })).toThrow(
      /lives on the driver alone/,
    );
  });

  it.each([
    "parallelize",
    "range",
    "textFile",
    "binaryFiles",
    "wholeTextFiles",
    "addPyFile",
    "addFile",
    "accumulator",
  ] as const)("%s says what to use here", (method) => {
    const call = session.sparkContext[method] as (value: never) => { map(fn: unknown): unknown };
    expect(() => call("x" as never).map(() => 1)).toThrow(NotHereError);
    expect(() => call("x" as never)).toThrow(/session\.|udf\(|df\.agg/);
  });

  it("a DataFrame's rdd says what to use here", () => {
    expect(() => session.range(3).rdd.map(() => 1)).toThrow(/mapBatches/);
  });
});

describe("show and printSchema take what PySpark's take", () => {
  let printed = "";
  const print = (df: DataFrame): DataFrame => {
    const printing: object = {
      print: (text: string) => {
        printed += `${text}\n`;
      },
    };
    return Object.assign<object, object>(df, printing) as DataFrame;
  };
  const frame = () =>
    print(
      session.createDataFrame(
        [
          [1, "a".repeat(30), null],
          [2, "b", 1.5],
        ],
        "id bigint, s string, d double",
      ),
    );
  const nested = () => print(session.createDataFrame([], SPARK.nested));
  beforeEach(() => {
    printed = "";
  });

  it.each(SPARK.shows.map(([call, answer]) => ({ text: JSON.stringify(call), call, answer })))(
    "show $text",
    async ({ call, answer }) => {
      const shown = frame().show(...(call as unknown as []));
      if (answer.error !== undefined) await expect(shown).rejects.toThrow(answer.error.replace(/, got .*/, ", got "));
      else {
        await shown;
        expect(printed).toBe(answer.printed);
      }
    },
  );

  it("show takes options too", async () => {
    await frame().show(1, { truncate: false });
    await frame().show({ truncate: 5, vertical: true });
    expect(printed).toContain(`|1  |${"a".repeat(30)}|NULL|`);
    expect(printed).toContain(" s   | aa...");
    await expect(frame().show(false as never)).rejects.toThrow(/show\(20, false\) or show\(\{ truncate: false \}\)/);
  });

  it.each(SPARK.schemas.map(([level, answer]) => ({ level, answer })))(
    "printSchema($level)",
    async ({ level, answer }) => {
      await nested().printSchema(level);
      expect(printed).toBe(answer.printed);
    },
  );

  it("dtypes are Spark's", async () => {
    expect([...(await nested().dtypes()), ...(await frame().dtypes())]).toEqual(SPARK.dtypes);
  });
});
