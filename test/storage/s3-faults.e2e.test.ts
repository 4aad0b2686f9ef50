import { inspect } from "node:util";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import {
  listed,
  PathNotFoundError,
  type Storage,
  StorageAccessError,
  StorageError,
  type StorageRetry,
  type StorageSettings,
  storagesFrom,
  type Url,
  urlOf,
} from "../../src/storage";
import { type S3FaultProxy, startFaultProxy } from "../support/s3-fault-proxy";
import { permanentRedirect, type S3Fault, s3Error, s3Errors, wrongRegion } from "../support/s3-faults";
import { type S3Server, s3Settings, startS3 } from "../support/s3-server";

/** Quick to try again, so that a test of it is short. */
const QUICK = { "fs.s3a.retry.interval": "2ms", "fs.s3a.retry.limit": "3" };
/** Where a fault is silence, quick to take it for one; elsewhere a busy machine may be silent for so long. */
const storageFor = ({ kind }: S3Fault, settings: StorageSettings = {}) =>
  kind === "stall" ? storageWith({ "fs.s3a.connection.timeout": "400ms", ...settings }) : usual;

let server: S3Server;
let proxy: S3FaultProxy;
let retries: StorageRetry[] = [];
let usual: Storage;
let s3: Storage;

const storageWith = (settings: StorageSettings = {}) =>
  storagesFrom({ ...s3Settings({ ...server, endpoint: proxy.endpoint }), ...QUICK, ...settings }, (retry) =>
    retries.push(retry),
  ).for(at(""));
const at = (path: string) => urlOf(`s3a://fruits/${path}`);
const textOf = async (url: Url) => await (await server.request({ key: url.slice("s3a://".length) })).text();
async function* chunksOf(...chunks: Uint8Array[]) {
  yield* chunks;
}
async function joined(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of stream) all.push(chunk);
  return Buffer.concat(all);
}

beforeAll(async () => {
  server = await startS3({ buckets: ["fruits"] });
  proxy = await startFaultProxy(server.endpoint);
  usual = storageWith();
  await server.put("fruits/there/a", small);
});
afterAll(async () => {
  await proxy.stop();
  await server.stop();
});
beforeEach(() => {
  proxy.reset();
  retries = [];
  s3 = usual;
});

const small = Buffer.alloc(40_000, "an apple a day ");
const large = Buffer.alloc(9 * 1024 * 1024, "pears and plums ");

/** What is done to a storage, in a folder of its own. */
interface Work {
  readonly name: string;
  /** The requests that it makes, each of which meets each fault. */
  readonly operations: readonly string[];
  prepare?(folder: string): Promise<void>;
  /** Does it, and throws where it isn't right. */
  run(folder: string): Promise<void>;
}

const WORKS: readonly Work[] = [
  {
    name: "readFile",
    operations: ["GetObject"],
    prepare: (folder) => server.put(`fruits/${folder}/a`, small),
    run: async (folder) => expect(small.equals(await s3.readFile(at(`${folder}/a`)))).toBe(true),
  },
  {
    name: "readRange",
    operations: ["GetObject"],
    prepare: (folder) => server.put(`fruits/${folder}/a`, small),
    run: async (folder) =>
      expect(small.subarray(5, 30_000).equals(await s3.readRange(at(`${folder}/a`), 5, 30_000))).toBe(true),
  },
  {
    name: "readStream",
    operations: ["GetObject"],
    prepare: (folder) => server.put(`fruits/${folder}/a`, large),
    run: async (folder) => expect(large.equals(await joined(s3.readStream(at(`${folder}/a`))))).toBe(true),
  },
  {
    name: "stat of a file",
    operations: ["HeadObject"],
    prepare: (folder) => server.put(`fruits/${folder}/a`, small),
    run: async (folder) => expect(await s3.stat(at(`${folder}/a`))).toMatchObject({ size: small.length }),
  },
  {
    name: "stat of nothing",
    operations: ["HeadObject", "ListObjectsV2"],
    run: async (folder) => expect(await s3.stat(at(`${folder}/a`))).toBeUndefined(),
  },
  {
    name: "list",
    operations: ["HeadObject", "ListObjectsV2"],
    prepare: (folder) => server.put(`fruits/${folder}/in/a`, "1"),
    run: async (folder) => expect((await listed(s3, at(folder))).map(({ url }) => url)).toEqual([at(`${folder}/in/a`)]),
  },
  {
    name: "writeFile",
    operations: ["PutObject"],
    run: async (folder) => {
      await s3.writeFile(at(`${folder}/a`), small);
      expect(await textOf(at(`${folder}/a`))).toBe(small.toString());
    },
  },
  {
    name: "createFile of a new one",
    operations: ["PutObject"],
    run: async (folder) => {
      expect(await s3.createFile(at(`${folder}/a`), "ours")).toBe(true);
      expect(await textOf(at(`${folder}/a`))).toBe("ours");
    },
  },
  {
    name: "createFile of one that is there",
    operations: ["PutObject"],
    prepare: (folder) => server.put(`fruits/${folder}/a`, "theirs"),
    run: async (folder) => {
      expect(await s3.createFile(at(`${folder}/a`), "ours")).toBe(false);
      expect(await textOf(at(`${folder}/a`))).toBe("theirs");
    },
  },
  {
    name: "renewFile",
    operations: ["HeadObject", "PutObject"],
    prepare: (folder) => server.put(`fruits/${folder}/a`, "before"),
    run: async (folder) => {
      expect(await s3.renewFile(at(`${folder}/a`), "after")).toBe(true);
      expect(await textOf(at(`${folder}/a`))).toBe("after");
    },
  },
  {
    name: "writeStream in parts",
    operations: ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"],
    run: async (folder) => {
      expect(await s3.writeStream(at(`${folder}/a`), chunksOf(large))).toBe(large.length);
      expect((await textOf(at(`${folder}/a`))) === large.toString()).toBe(true);
    },
  },
  {
    name: "a draft, found whole and published",
    operations: ["CreateMultipartUpload", "UploadPart", "ListParts", "CompleteMultipartUpload"],
    run: async (folder) => {
      const url = at(`${folder}/a`);
      const draft = await s3.drafts.write({ url, heldAt: url }, chunksOf(small));
      expect(await s3.stat(url)).toBeUndefined();
      expect(await s3.drafts.isWhole(draft)).toBe(true);
      await s3.drafts.publish(draft);
      expect(await textOf(url)).toBe(small.toString());
    },
  },
  {
    name: "a draft, found and discarded",
    operations: ["ListMultipartUploads", "AbortMultipartUpload"],
    run: async (folder) => {
      const url = at(`${folder}/a`);
      await s3.drafts.write({ url, heldAt: url }, chunksOf(small));
      for await (const draft of s3.drafts.unpublished(at(folder))) await draft.discard();
      expect((await server.uploads("fruits")).filter((key) => key.startsWith(`${folder}/`))).toEqual([]);
    },
  },
  {
    name: "copyFile",
    operations: ["CopyObject"],
    prepare: (folder) => server.put(`fruits/${folder}/a`, small),
    run: async (folder) => {
      await s3.copyFile(at(`${folder}/a`), at(`${folder}/b`));
      expect(await textOf(at(`${folder}/b`))).toBe(small.toString());
    },
  },
  {
    name: "remove of a folder",
    operations: ["ListObjectsV2", "DeleteObject", "DeleteObjects"],
    prepare: async (folder) => {
      for (const name of ["a", "b"]) await server.put(`fruits/${folder}/${name}`, "1");
    },
    run: async (folder) => {
      await s3.remove(at(folder));
      expect((await server.keys("fruits")).filter((key) => key.startsWith(`${folder}/`))).toEqual([]);
    },
  },
  {
    name: "remove of one version",
    operations: ["DeleteObject"],
    prepare: (folder) => server.put(`fruits/${folder}/a`, "1"),
    run: async (folder) => {
      const found = (await s3.stat(at(`${folder}/a`))) as { version: string };
      await s3.remove(at(`${folder}/a`), found.version);
      expect(await s3.stat(at(`${folder}/a`))).toBeUndefined();
    },
  },
];

/** Faults that pass: what was asked is right after another try. */
const PASSING: readonly {
  readonly name: string;
  readonly fault: S3Fault;
  readonly only?: RegExp;
  readonly why: RegExp;
}[] = [
  { name: "the connection dropped", fault: { kind: "drop" }, why: /reset|closed|cut/ },
  { name: "the answer lost", fault: { kind: "drop", after: true }, why: /reset|closed|cut/ },
  { name: "500 InternalError", fault: s3Errors.internalError, why: /InternalError, 500|^500$/ },
  { name: "503 SlowDown", fault: s3Errors.slowDown, why: /SlowDown, 503|^503$/ },
  { name: "502 in HTML", fault: s3Errors.badGateway, why: /502/ },
  { name: "400 RequestTimeout", fault: s3Errors.requestTimeout, only: /, (?!Head)/, why: /RequestTimeout/ },
  { name: "silence", fault: { kind: "stall" }, why: /nothing came/ },
  {
    name: "an answer reset in its middle",
    fault: { kind: "reset", bytes: 100 },
    only: /Get|List/,
    why: /reset|cut|closed/,
  },
  { name: "an answer cut short", fault: { kind: "cut", bytes: 100 }, only: /Get|List/, why: /cut|reset|closed/ },
  {
    name: "silence in an answer's middle",
    fault: { kind: "stall", bytes: 100 },
    only: /Get|List/,
    why: /nothing came/,
  },
  { name: "a listing with other bytes", fault: { kind: "changed" }, only: /List/, why: /broken/ },
  { name: "an object with other bytes", fault: { kind: "changed" }, only: /readFile, GetObject/, why: /checksum/ },
  {
    name: "an answer with another checksum",
    fault: { kind: "checksum" },
    only: /readFile, GetObject/,
    why: /checksum/,
  },
  {
    name: "an upload reset in its middle",
    fault: { kind: "resetUpload", bytes: 1000 },
    only: /PutObject|UploadPart$/,
    why: /reset|closed/,
  },
];

describe("work that meets a fault which passes", () => {
  let count = 0;
  it.each(PASSING)("is right after $name", async ({ name, fault, only = /./, why }) => {
    const wrong: string[] = [];
    // A machine may stand still for longer than one try takes.
    s3 = storageFor(fault, { "fs.s3a.retry.limit": "12" });
    for (const work of WORKS) {
      for (const operation of work.operations.filter((one) => only.test(`${work.name}, ${one}`))) {
        proxy.reset();
        retries = [];
        const folder = `passing-${count++}`;
        await work.prepare?.(folder);
        const met = proxy.fault({ operation, times: 1, fault });
        const error = await work.run(folder).then(
          () => undefined,
          (thrown: Error) => thrown,
        );
        const told = retries.map((retry) => `${retry.operation}: ${retry.why}`);
        const isTold = retries.some((retry) => retry.operation === operation && why.test(retry.why));
        if (error || met() === 0 || !isTold)
          wrong.push(
            `${work.name}, ${operation}: ${error?.message ?? "right"} (met ${met()}; told ${told.join("; ")})`,
          );
      }
    }
    expect(wrong, name).toEqual([]);
  });
});

describe("an object's checksum", () => {
  it.each(["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const)("of the kind %s is verified", async (kind) => {
    const key = `checksums/${kind}`;
    const client = new S3Client({
      ...{ endpoint: server.endpoint, region: server.region, forcePathStyle: true },
      credentials: { accessKeyId: server.accessKey, secretAccessKey: server.secretKey },
    });
    await client.send(new PutObjectCommand({ Bucket: "fruits", Key: key, Body: small, ChecksumAlgorithm: kind }));
    client.destroy();
    // The first request to a bucket is the SDK's, the others are our own.
    for (let i = 0; i < 2; i++) expect(small.equals(await s3.readFile(at(key)))).toBe(true);
    expect(retries).toEqual([]);
    proxy.fault({ operation: "GetObject", times: 1, fault: { kind: "changed" } });
    expect(small.equals(await s3.readFile(at(key)))).toBe(true);
    expect(retries).toMatchObject([{ operation: "GetObject", why: expect.stringMatching(/checksum/) }]);
  });
});

/** Work of each kind, which meets what does not pass. */
const KINDS: Readonly<Record<string, { readonly operation: string; run(): Promise<unknown> }>> = {
  read: { operation: "GetObject", run: () => s3.readFile(at("there/a")) },
  stat: { operation: "HeadObject", run: () => s3.stat(at("there/a")) },
  list: { operation: "ListObjectsV2", run: () => listed(s3, at("there")) },
  write: { operation: "PutObject", run: () => s3.writeFile(at("new/a"), small) },
  create: { operation: "PutObject", run: () => s3.createFile(at("new/b"), small) },
  begin: { operation: "CreateMultipartUpload", run: () => s3.writeStream(at("new/c"), chunksOf(large)) },
  send: { operation: "UploadPart", run: () => s3.writeStream(at("new/c"), chunksOf(large)) },
  complete: { operation: "CompleteMultipartUpload", run: () => s3.writeStream(at("new/c"), chunksOf(large)) },
  copy: { operation: "CopyObject", run: () => s3.copyFile(at("there/a"), at("new/d")) },
  remove: { operation: "DeleteObject", run: () => s3.remove(at("there/none")) },
};

/** What an action fails with, which holds no credential, and names bucket, key and operation. */
async function failureOf(kind: string): Promise<StorageError> {
  const { operation, run } = KINDS[kind]!;
  const error = await run().then(
    () => undefined,
    (thrown: unknown) => thrown as StorageError,
  );
  if (!(error instanceof StorageError)) throw new Error(`${kind}: no StorageError, but ${inspect(error)}`);
  const all = inspect(error, { depth: 20, showHidden: true });
  for (const secret of [server.accessKey, server.secretKey, "Signature=", "Credential="])
    expect(all).not.toContain(secret);
  expect(error.message).toContain(operation);
  expect(error.message).toMatch(/s3a:\/\/fruits\/(there|new)/);
  return error;
}

describe("what does not pass", () => {
  it.each<{ name: string; fault: S3Fault; kinds?: string[]; what: RegExp }>([
    { name: "connections dropped", fault: { kind: "drop" }, what: /connection was (reset|closed)/ },
    { name: "500", fault: s3Errors.internalError, what: /internal error|500/i },
    { name: "SlowDown", fault: s3Errors.slowDown, what: /reduce your request rate|SlowDown|503/i },
    { name: "silence", fault: { kind: "stall" }, kinds: ["read", "write", "send", "copy"], what: /nothing came for/ },
    {
      name: "answers cut short",
      fault: { kind: "cut", bytes: 50 },
      kinds: ["read", "list"],
      what: /cut short|reset|closed/,
    },
    { name: "other bytes", fault: { kind: "changed" }, kinds: ["read"], what: /checksum/ },
    {
      name: "a page in place of S3",
      fault: { kind: "answer", status: 200, body: "<html><p>Log in</html>" },
      kinds: ["list"],
      what: /answer was broken/,
    },
  ])(
    "$name: an error after some tries, and nothing half-visible",
    async ({ fault, kinds = Object.keys(KINDS), what }) => {
      const before = [await server.keys("fruits"), await server.uploads("fruits")];
      // Here the tries are counted, so that there are no more for what a machine that stands still is silent about.
      s3 = storageFor(fault, { "fs.s3a.connection.timeout": "1s" });
      for (const kind of kinds) {
        proxy.reset();
        retries = [];
        const met = proxy.fault({ operation: KINDS[kind]!.operation, fault });
        const error = await failureOf(kind);
        expect(error.message, kind).toMatch(what);
        expect(error.message).toMatch(/tried 4 times\).*\n.*run it again/is);
        // Two parts are on their way at once.
        const side = kind === "send" ? 2 : 1;
        const told = retries.filter(({ operation }) => operation === KINDS[kind]!.operation);
        expect([kind, met(), told.length]).toEqual([kind, 4 * side, 3 * side]);
      }
      expect([await server.keys("fruits"), await server.uploads("fruits")]).toEqual(before);
    },
  );

  const ALL = Object.keys(KINDS);
  it.each<{
    name: string;
    fault: S3Fault;
    kinds?: string[];
    error: RegExp;
    type?: new (...args: never) => Error;
    most?: number;
  }>([
    {
      name: "AccessDenied",
      fault: s3Errors.accessDenied,
      kinds: ALL.filter((kind) => kind !== "send"),
      type: StorageAccessError,
      error: /access denied.*\n.*need s3:\w+.* on arn:aws:s3:::fruits/s,
    },
    {
      name: "InvalidAccessKeyId",
      fault: s3Errors.invalidAccessKeyId,
      type: StorageAccessError,
      error: /does not know the access key.*\nCheck the access key/s,
    },
    {
      name: "SignatureDoesNotMatch",
      fault: s3Errors.signatureDoesNotMatch,
      type: StorageAccessError,
      error: /secret key does not fit.*\nCheck the secret key/s,
    },
    {
      name: "ExpiredToken",
      fault: s3Errors.expiredToken,
      type: StorageAccessError,
      error: /credentials have expired.*\nGet new ones/s,
    },
    {
      name: "InvalidToken",
      fault: s3Errors.invalidToken,
      type: StorageAccessError,
      error: /session token is not valid.*\nA token belongs/s,
    },
    {
      name: "RequestTimeTooSkewed",
      fault: s3Errors.requestTimeTooSkewed,
      type: StorageAccessError,
      error: /clock.*\nSet the clock/s,
      most: 2,
    },
    {
      name: "NoSuchBucket",
      fault: s3Errors.noSuchBucket,
      type: PathNotFoundError,
      error: /no bucket fruits.*\nCheck its name/s,
    },
    {
      name: "a key of KMS that is forbidden",
      fault: s3Errors.kmsDenied,
      type: StorageAccessError,
      error: /encryption key cannot be used.*kms:Decrypt/s,
    },
    {
      name: "a key of KMS that is disabled",
      fault: s3Errors.kmsDisabled,
      type: StorageAccessError,
      error: /encryption key cannot be used.*is disabled.*\n.*must be enabled/s,
    },
    {
      name: "an archive",
      fault: s3Errors.invalidObjectState,
      kinds: ["read"],
      type: StorageAccessError,
      error: /in an archive.*\nRestore it/s,
    },
    {
      name: "a region that is told and refused",
      fault: permanentRedirect("eu-west-3"),
      error: /bucket fruits is in region eu-west-3.*\nSet fs\.s3a\.bucket\.fruits\.endpoint\.region/s,
      most: 2,
    },
    {
      name: "a signature for another region",
      fault: wrongRegion("eu-west-3"),
      error: /is in region eu-west-3/,
      most: 2,
    },
    {
      name: "a redirect that does not say where",
      fault: s3Error(301, "PermanentRedirect", "Use the specified endpoint."),
      error: /is in another region/,
    },
  ])(
    "$name: named at once, with what to do",
    async ({ name, fault, kinds = ["read", "list", "write", "complete"], error, type = StorageError, most = 1 }) => {
      for (const kind of kinds) {
        proxy.reset();
        const met = proxy.fault({ operation: KINDS[kind]!.operation, fault });
        s3 = storageWith();
        const failed = await failureOf(kind);
        expect([name, kind, failed.constructor.name, met() <= most]).toEqual([name, kind, type.name, true]);
        expect(failed.message, kind).toMatch(error);
      }
      // An answer to HEAD has no words: the status alone is told.
      proxy.reset();
      proxy.fault({ operation: "HeadObject", fault });
      const head = await failureOf("stat").catch((reason: Error) => reason);
      if (name !== "NoSuchBucket") expect(head).toBeInstanceOf(StorageError);
      s3 = storageWith();
    },
  );
});

describe("what is mended on the way", () => {
  const read = async (storage: Storage) => expect(small.equals(await storage.readFile(at("there/a")))).toBe(true);
  const signedFor = () =>
    proxy.requests.map(({ headers }) => /\/\d{8}\/([^/]+)\/s3\//.exec(headers.authorization ?? "")?.[1]);

  it.each([permanentRedirect("eu-west-3"), wrongRegion("eu-west-3")])(
    "another region, which is told: it is followed",
    async (fault) => {
      proxy.fault({ fault, times: 1 });
      // This server, which has one region alone, then tells that one: a request follows where it is sent.
      await read(storageWith());
      expect(signedFor().slice(0, 2)).toEqual(["us-east-1", "eu-west-3"]);
      proxy.reset();
      // Nothing but the status and the region are told to HEAD.
      proxy.fault({ operation: "HeadObject", fault, times: 1 });
      await storageWith()
        .stat(at("there/a"))
        .catch((error: unknown) => expect(error).toBeInstanceOf(StorageAccessError));
      expect(signedFor().slice(0, 2)).toEqual(["us-east-1", "eu-west-3"]);
      proxy.reset();
      proxy.fault({ fault: permanentRedirect("eu-west-3"), when: () => proxy.requests.length % 2 === 1 });
      proxy.fault({ fault: permanentRedirect("eu-west-1") });
      await expect(storageWith().readFile(at("there/a"))).rejects.toThrow(/bucket fruits is in region/);
      expect(proxy.requests.length).toBeLessThan(6);
    },
  );

  it("credentials that have expired, where they can be asked for anew", async () => {
    const {
      "fs.s3a.access.key": _,
      "fs.s3a.secret.key": __,
      ...others
    } = s3Settings({ ...server, endpoint: proxy.endpoint });
    const settings = {
      ...others,
      ...QUICK,
      "fs.s3a.aws.credentials.provider": "com.amazonaws.auth.EnvironmentVariableCredentialsProvider",
    };
    vi.stubEnv("AWS_ACCESS_KEY_ID", server.accessKey);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", server.secretKey);
    try {
      const storage = storagesFrom(settings).for(at(""));
      const met = proxy.fault({ fault: s3Errors.expiredToken, times: 1 });
      await read(storage);
      proxy.fault({ fault: s3Errors.expiredToken });
      await expect(storage.readFile(at("there/a"))).rejects.toThrow(/credentials have expired/);
      expect(met()).toBe(1);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

describe("what is set up wrongly", () => {
  it("a key that is not there looks forbidden without the right to list, which the error says", async () => {
    proxy.fault({ operation: ["HeadObject", "GetObject"], fault: { kind: "hideMissing" } });
    await expect(s3.stat(at("there/none"))).rejects.toThrow(
      /need s3:GetObject.*Without s3:ListBucket on arn:aws:s3:::fruits a key that is not there looks the same/s,
    );
    await expect(s3.readFile(at("there/none"))).rejects.toThrow(StorageAccessError);
  });

  it.each([
    ["a wrong access key", { "fs.s3a.access.key": "AKWRONGWRONGWRONG" }, /does not know the access key/],
    ["a wrong secret key", { "fs.s3a.secret.key": "hush-hush" }, /secret key does not fit/],
    ["one key alone", { "fs.s3a.secret.key": "" }, /fs\.s3a\.secret\.key is not set/],
    [
      "a server that does not listen",
      { "fs.s3a.endpoint": "http://127.0.0.1:9" },
      /connection was refused.*tried 4 times.*fs\.s3a\.endpoint/s,
    ],
    [
      "no such server",
      { "fs.s3a.endpoint": "http://s3.invalid" },
      /no such server.*Check fs\.s3a\.endpoint|could not be looked up/s,
    ],
    [
      "TLS where there is none",
      { "fs.s3a.endpoint": () => proxy.endpoint.replace("http:", "https:") },
      /no secure connection.*write http:\/\//s,
    ],
    ["credentials in the address", { "fs.s3a.endpoint": "http://AKIA:hush-hush@127.0.0.1" }, /is not an address/],
    [
      "an unknown provider",
      { "fs.s3a.aws.credentials.provider": "com.example.Mine" },
      /provider that is not known here: com\.example\.Mine/,
    ],
    ["a bucket that is not there", { bucket: "nobody-has-this" }, /no bucket nobody-has-this/],
  ] as const)(
    "%s is named, and no credential",
    async (_, { bucket = "fruits", ...given }: Record<string, string | (() => string)>, what) => {
      const settings = Object.fromEntries(
        Object.entries(given).map(([name, value]) => [name, typeof value === "string" ? value : value()]),
      );
      const storage = storageWith(settings);
      const failed = (await storage.readFile(urlOf(`s3://${bucket as string}/there/a`)).then(
        () => undefined,
        (error: unknown) => error,
      )) as Error;
      expect(failed?.message).toMatch(what);
      const all = inspect(failed, { depth: 20, showHidden: true });
      for (const secret of [server.accessKey, server.secretKey, "hush-hush", "AKWRONG"])
        expect(all).not.toContain(secret);
    },
  );

  it("credentials before a bucket are not repeated", async () => {
    await expect(s3.stat(urlOf("s3a://AKIA:hush-hush@fruits/a"))).rejects.toThrow(/holds credentials(?!.*hush)/s);
  });
});
