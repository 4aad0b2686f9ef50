import { setTimeout as sleep } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type S3FaultProxy, startFaultProxy } from "./s3-fault-proxy";
import { permanentRedirect, type S3Fault, s3Errors } from "./s3-faults";
import { type S3Access, type S3Server, type S3ServerName, startS3 } from "./s3-server";

const SCRIPT = "../../scripts/s3-server.mjs";
type SignedFetch = (access: S3Access, request: Parameters<S3Server["request"]>[0]) => Promise<Response>;

const BODY = Buffer.alloc(100_000, "fruit ");

describe.each<S3ServerName>(["versitygw", "s3proxy"])("%s behind the proxy of faults", (name) => {
  let server: S3Server;
  let proxy: S3FaultProxy;
  let signedFetch: SignedFetch;
  let access: S3Access;
  const request = (one: Parameters<S3Server["request"]>[0]) => signedFetch(access, one);

  beforeAll(async () => {
    ({ signedFetch } = (await import(SCRIPT)) as { signedFetch: SignedFetch });
    server = await startS3({ server: name, buckets: ["fruits"] });
    proxy = await startFaultProxy(server.endpoint);
    const { accessKey, secretKey } = server;
    access = { endpoint: proxy.endpoint, accessKey, secretKey };
    await server.put("fruits/a b/é+%#?.txt", BODY);
  });
  afterEach(() => proxy.reset());
  afterAll(async () => {
    await proxy.stop();
    await server.stop();
  });

  it("passes on what nobody asked it to spoil, signatures and all, and counts it", async () => {
    expect((await request({ method: "PUT", key: "fruits/b", body: "pear" })).status).toBe(200);
    expect(await (await request({ key: "fruits/b" })).text()).toBe("pear");
    const range = await request({ key: "fruits/a b/é+%#?.txt", headers: { range: "bytes=6-10" } });
    expect([range.status, await range.text()]).toEqual([206, "fruit"]);
    expect(await server.keys("fruits")).toEqual(["a b/é+%#?.txt", "b"]);
    expect(proxy.counts()).toEqual({ PutObject: 1, GetObject: 2 });
    expect(proxy.requests.map(({ key, range: asked, sent, received }) => [key, asked, sent, received])).toEqual([
      ["b", undefined, 4, 0],
      ["b", undefined, 0, 4],
      ["a b/é+%#?.txt", "bytes=6-10", 0, 5],
    ]);
  });

  it("is refused with 403 for a key that it doesn't know, and for a wrong secret", async () => {
    for (const wrong of [
      { ...access, accessKey: "NOSUCHKEY12345678901" },
      { ...access, secretKey: "wrong" },
    ]) {
      expect((await signedFetch(wrong, { key: "fruits/b" })).status).toBe(403);
    }
  });

  async function within<T>(milliseconds: number, what: Promise<T>, otherwise: string): Promise<T> {
    const late = new AbortController();
    const tooLate = sleep(milliseconds, undefined, { signal: late.signal }).then(() => {
      throw new Error(otherwise);
    });
    try {
      return await Promise.race([what, tooLate]);
    } finally {
      late.abort();
    }
  }

  /** What a client without retries sees of a fault: the status, or how the connection ended. */
  async function seen(fault: S3Fault, key = "fruits/a b/é+%#?.txt", method = "GET"): Promise<string> {
    proxy.reset();
    proxy.fault({ fault, times: 1 });
    const silent = fault.kind !== "stall" ? undefined : fault.bytes === undefined ? "answer" : "body";
    // Long enough for a busy machine where something is to come.
    const patience = (part: "answer" | "body") => (part === silent ? 300 : 60_000);
    try {
      const asked = request({ method, key, ...(method === "PUT" && { body: BODY }) });
      const answer = await within(patience("answer"), asked, "silence");
      const body = await within(patience("body"), answer.arrayBuffer(), "silence in it");
      return `${answer.status} ${BODY.equals(Buffer.from(body)) ? "whole" : Buffer.from(body).subarray(0, 300)}`;
    } catch (error) {
      const cause = (error as { cause?: { code?: string } }).cause;
      return `${(error as Error).message}${cause?.code ? ` ${cause.code}` : ""}`;
    }
  }

  it("drops, resets, cuts, stalls and changes", async () => {
    expect(await seen({ kind: "drop" })).toMatch(/fetch failed/);
    expect(await seen({ kind: "reset", bytes: 1000 })).toMatch(/terminated/);
    expect(await seen({ kind: "cut", bytes: 1000 })).toMatch(/terminated/);
    expect(proxy.requests[0]).toMatchObject({ received: 1000, fault: "cut" });
    expect(await seen({ kind: "stall" })).toBe("silence");
    expect(await seen({ kind: "stall", bytes: 1000 })).toBe("silence in it");
    expect(await seen({ kind: "changed" })).toMatch(/^200 gruit fruit/);
    expect(await seen({ kind: "slow", milliseconds: 20 })).toBe("200 whole");
    expect(await seen({ kind: "resetUpload", bytes: 1000 }, "fruits/half", "PUT")).toMatch(/fetch failed/);
    expect(await seen({ kind: "drop", after: true }, "fruits/unheard", "PUT")).toMatch(/fetch failed/);
    expect(await server.keys("fruits")).toEqual(["a b/é+%#?.txt", "b", "unheard"]);
  });

  it("answers as S3 does, some of the time", async () => {
    expect(await seen(s3Errors.slowDown)).toMatch(/^503 .*<Code>SlowDown<\/Code>/s);
    expect(await seen(permanentRedirect("eu-west-3"))).toMatch(/^301 .*PermanentRedirect/s);
    expect(await seen({ kind: "hideMissing" }, "fruits/none", "HEAD")).toMatch(/^403/);
    expect(await seen({ kind: "hideMissing" })).toBe("200 whole");
    proxy.reset();
    const met = proxy.fault({ operation: ["GetObject"], key: /b$/, skip: 1, times: 1, fault: s3Errors.internalError });
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) statuses.push((await request({ key: "fruits/b" })).status);
    expect([statuses, met()]).toEqual([[200, 500, 200], 1]);
  });

  // S3Proxy keeps no checksums.
  it.runIf(name === "versitygw")("says another checksum than the server", async () => {
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32("pear"));
    const sum = crc.toString("base64");
    await server.put("fruits/summed", "pear", { "x-amz-checksum-crc32": sum });
    const asked = { key: "fruits/summed", headers: { "x-amz-checksum-mode": "ENABLED" } };
    const told = async () => (await request(asked)).headers.get("x-amz-checksum-crc32");
    expect(await told()).toBe(sum);
    proxy.fault({ fault: { kind: "checksum" } });
    expect(await told()).toMatch(new RegExp(`^(?!${sum[0]}).${sum.slice(1)}$`));
  });
});
