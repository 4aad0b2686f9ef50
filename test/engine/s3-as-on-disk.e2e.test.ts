import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DataFrame, Session } from "pomona";
import { col, count, sum } from "pomona/functions";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyTree } from "../../src/storage/copy-tree";
import { storagesFrom } from "../../src/storage/storages";
import { type S3FaultProxy, startFaultProxy } from "../support/s3-fault-proxy";
import { type S3Server, s3Settings, startS3 } from "../support/s3-server";
import { s3Session } from "../support/s3-session";

/* One session, with buckets of several owners: what works on disk gives the same in S3, and each bucket is asked as its settings say. */

let server: S3Server;
let proxy: S3FaultProxy;
let session: Session;
let folder: string;
let settings: Record<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pomona-as-on-disk-"));
  server = await startS3({ buckets: ["fruits", "anns", "bens", "open", "paid"] });
  proxy = await startFaultProxy(server.endpoint);
  for (const user of ["ann", "ben"]) {
    const account = `<Account><Access>${user}</Access><Secret>${user}-secret</Secret><Role>user</Role></Account>`;
    const owner = { bucket: `${user}s`, owner: user };
    for (const request of [
      { method: "PATCH", key: "create-user", body: account },
      { method: "PATCH", key: "change-bucket-owner/", query: owner },
    ])
      expect((await server.request(request)).ok).toBe(true);
  }
  const Action = ["s3:GetObject", "s3:ListBucket"];
  const Statement = [
    { Effect: "Allow", Principal: "*", Action, Resource: ["arn:aws:s3:::open", "arn:aws:s3:::open/*"] },
  ];
  const body = JSON.stringify({ Version: "2012-10-17", Statement });
  expect((await server.request({ method: "PUT", key: "open", query: { policy: "" }, body })).ok).toBe(true);
  await server.put("open/data/a.txt", "apple\npear\n");
  settings = {
    ...s3Settings({ ...server, endpoint: proxy.endpoint }),
    ...Object.fromEntries(
      ["ann", "ben"].flatMap((user) => [
        [`fs.s3a.bucket.${user}s.access.key`, user],
        [`fs.s3a.bucket.${user}s.secret.key`, `${user}-secret`],
      ]),
    ),
    "fs.s3a.bucket.open.aws.credentials.provider": "org.apache.hadoop.fs.s3a.AnonymousAWSCredentialsProvider",
    "fs.s3a.bucket.paid.requester.pays.enabled": "true",
  };
  session = await s3Session(settings);
});
afterAll(async () => {
  await session?.stop();
  await proxy?.stop();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What came of something, an error by its name and the path in it: storages have words of their own. */
const outcomeOf = (base: string, work: Promise<unknown>) =>
  work.then(
    (value) => value,
    ({ name, message }: Error) => `${name}: ${/BASE[^\s:]*/.exec(message.replaceAll(base, "BASE"))?.[0]}`,
  );

const totals = async (df: DataFrame) => {
  const [row] = await df.agg(count("id").alias("n"), sum("id").alias("s")).collect();
  return `${row?.n} rows, sum ${row?.s}`;
};

describe("the same in S3 as on disk", () => {
  /** Asserts that it gives the same at both, and something at all. */
  async function same(work: (base: string) => Promise<unknown>): Promise<unknown> {
    const here = await work(join(folder, "base"));
    expect(await work("s3://fruits/base")).toEqual(here);
    return here;
  }

  it("modes of writing, of each format", async () => {
    const rows = session.range(0, 10).repartition(2);
    const story = await same(async (base) => {
      const seen: unknown[] = [];
      for (const format of ["parquet", "csv"] as const) {
        const at = `${base}/modes/${format}`;
        const read = () => session.read.schema("id long").format(format).load(at);
        for (const mode of ["ignore", "errorifexists", "append", "ignore", "overwrite"] as const) {
          const written = await outcomeOf(
            base,
            rows.write
              .mode(mode)
              .format(format)
              .save(at)
              .then(() => "written"),
          );
          seen.push([format, mode, written, await totals(read())]);
        }
      }
      return seen;
    });
    expect((story as unknown[]).slice(0, 5)).toEqual([
      ["parquet", "ignore", "written", "10 rows, sum 45"],
      [
        "parquet",
        "errorifexists",
        expect.stringMatching(/^PathAlreadyExistsError: BASE.modes.parquet/),
        "10 rows, sum 45",
      ],
      ["parquet", "append", "written", "20 rows, sum 90"],
      ["parquet", "ignore", "written", "20 rows, sum 90"],
      ["parquet", "overwrite", "written", "10 rows, sum 45"],
    ]);
  });

  it("lists of paths, commas, patterns in lists, and what is not there", async () => {
    await same(async (base) => {
      for (const [i, name] of ["a1", "a2", "b1"].entries())
        await session
          .range(i, i + 2)
          .write.mode("overwrite")
          .parquet(`${base}/lists/${name}`);
      const at = `${base}/lists`;
      const lists = [
        [`${at}/a1`, `${at}/b1`],
        [`${at}/a1,${at}/b1`],
        [`${at}/{a1,b1}`],
        [`${at}/a*`, `${at}/b1`],
        [`${at}/[ab]1`, `${at}/a?`],
        [`${at}/a1`, `${at}/none`],
        [`${at}/none*`],
        [`${at}/a1`, `${at}/a1`],
      ];
      const seen: unknown[] = [];
      for (const paths of lists) seen.push(await outcomeOf(base, totals(session.read.format("parquet").load(paths))));
      return seen;
    });
  });

  const ODD = [
    "a b",
    "x+y",
    "50%25",
    "#1",
    "é 日本",
    "k=v",
    "[ab]",
    "{x,y}",
    "a*b",
    'say "hi"',
    "a,b",
    "~",
    "back\\slash",
  ];

  it("folders with odd names, also such as look like patterns", async () => {
    const story = await same(async (base) => {
      const seen: unknown[] = [];
      for (const [i, name] of ODD.entries()) {
        const at = `${base}/odd/${name}`;
        const written = session
          .range(i, i + 1)
          .write.mode("overwrite")
          .parquet(at)
          .then(() => "written");
        const read = async (path: string) =>
          [...(await session.read.parquet(path).collect())].map(({ id }) => Number(id)).join();
        seen.push([
          name,
          await outcomeOf(base, written),
          await outcomeOf(base, read(at)),
          await outcomeOf(base, read(at.replace(/[[\]{}*?\\]/g, "\\$&"))),
        ]);
      }
      const paths = session.read
        .format("binaryFile")
        .option("recursiveFileLookup", true)
        .load(`${base}/odd`)
        .select("path");
      seen.push(
        (await paths.collect())
          .map(({ path }) =>
            String(path)
              .replace(/^file:/, "")
              .slice(base.length)
              .replace(/part-.*/, "part"),
          )
          .sort(),
      );
      return seen;
    });
    // What is not a pattern is read as it was written.
    const found = (story as string[][]).filter(([name]) => !/[[\]{}*?\\]/.test(name ?? ""));
    for (const [name, written, read] of found.slice(0, -1))
      expect([name, written, read]).toEqual([name, "written", String(ODD.indexOf(name as string))]);
  });

  it("a tree of odd names, copied there and back", async () => {
    const at = join(folder, "base", "odd");
    const there = await copyTree(at, "s3://fruits/tree", { storages: storagesFrom(settings) });
    expect(
      await copyTree("s3a://fruits/tree", join(folder, "back"), { storages: storagesFrom(settings) }),
    ).toMatchObject({ copied: there.copied });
  });
});

describe("buckets with settings of their own", () => {
  it("are asked with their own keys, in one job and by one copy, which goes through this machine", async () => {
    const names = ["Apple Red/1 1.jpg", "50%25+#?.jpg"];
    for (const name of names) await server.put(`anns/Test/${name}`, name);
    const storages = storagesFrom(settings);
    proxy.reset();
    expect(await copyTree("s3://anns/Test", "s3a://bens/Test", { storages })).toMatchObject({ copied: 2 });
    expect(proxy.counts()).toMatchObject({ GetObject: 2, PutObject: 2 });
    expect(proxy.counts().CopyObject).toBeUndefined();
    const signedBy = (bucket: string) =>
      new Set(
        proxy.requests
          .filter(({ bucket: of }) => of === bucket)
          .map(({ headers }) => /Credential=([^/]*)/.exec(headers.authorization ?? "")?.[1]),
      );
    expect([signedBy("anns"), signedBy("bens")]).toEqual([new Set(["ann"]), new Set(["ben"])]);
    await session.range(0, 3).write.parquet("s3n://anns/n");
    await session.range(3, 5).write.parquet("s3a://bens/n");
    await session.range(5, 6).write.parquet("s3://fruits/n");
    const all = session.read.parquet("s3://anns/n", "s3a://bens/n", "s3n://fruits/n");
    expect(await totals(all)).toBe("6 rows, sum 15");
    await all.filter(col("id").gt(1)).write.parquet("s3a://bens/all");
    expect(await totals(session.read.parquet("s3n://bens/all"))).toBe("4 rows, sum 14");
    await expect(all.write.mode("append").parquet("s3n://bens/n")).rejects.toThrow(/is also read/);
    const other = {
      ...settings,
      "fs.s3a.bucket.bens.access.key": "ann",
      "fs.s3a.bucket.bens.secret.key": "ann-secret",
    };
    await expect(copyTree("s3://anns/Test", "s3://bens/Other", { storages: storagesFrom(other) })).rejects.toThrow(
      /access denied .*bens|bens.*access denied/s,
    );
  });

  it("are read without keys, and with the word that the requester pays, where that is set", async () => {
    proxy.reset();
    expect(await session.read.text("s3a://open/data").count()).toBe(2);
    await session.range(4).write.parquet("s3://paid/p");
    await session.range(4).write.mode("overwrite").parquet("s3://paid/p");
    expect(await totals(session.read.parquet("s3://paid/p"))).toBe("4 rows, sum 6");
    const of = (bucket: string) => proxy.requests.filter((request) => request.bucket === bucket);
    expect(of("open").length).toBeGreaterThan(1);
    expect(of("open").filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
    // Of each kind of request.
    const unpaid = of("paid").filter(({ headers }) => headers["x-amz-request-payer"] !== "requester");
    expect([...new Set(unpaid.map(({ operation }) => operation))]).toEqual([]);
    await expect(session.range(1).write.parquet("s3://open/mine")).rejects.toThrow(/access denied/);
  });
});
