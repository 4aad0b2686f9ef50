import { execFile } from "node:child_process";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { inspect, promisify } from "node:util";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { beforeAll, expect, test } from "vitest";
import { SparkAccessError, SparkUnreachableError, SparkVersionError } from "../../../src/engine/spark/errors";
import { SparkConnectService } from "../../../src/engine/spark/protos/spark/connect/base_pb";
import { sparkServer, startSpark, stopSpark } from "../../support/spark";
import { type Refusal, tokenProxy } from "../../support/token-proxy";
import { client, failure, portOf, rows, stops } from "./connect-clients";

let master: string;
beforeAll(async () => {
  master = (await sparkServer("local")).url;
});

test.each<Refusal>(["grpc", 401, 403])(
  "a token that expires is fetched anew on the live connection (refused by %s)",
  async (refusal) => {
    const proxy = await tokenProxy(`http://127.0.0.1:${portOf(master)}`, "Bearer first", refusal);
    stops.push(() => proxy.stop());
    const tokens = ["first", "second"];
    let asked = 0;
    const made = client(`sc://localhost:${proxy.port}/;x-team=fruits`, { token: async () => tokens[asked++]! });
    expect(await rows(made, "select 1 as a")).toEqual([{ a: 1 }]);
    expect(asked).toBe(1);
    proxy.accepts = "Bearer second";
    expect(await rows(made, "select 2 as a")).toEqual([{ a: 2 }]);
    expect(await made.analyze({ case: "sparkVersion", value: {} })).toMatchObject({ case: "sparkVersion" });
    expect([asked, proxy.connections]).toEqual([2, 1]);
    expect(proxy.seen.at(-1)).toMatchObject({ authorization: "Bearer second", "x-team": "fruits" });
  },
);

test("a wrong token, none, and a function that has none are told, the token is not", async () => {
  const proxy = await tokenProxy(`http://127.0.0.1:${portOf(master)}`, "Bearer right", 401);
  stops.push(() => proxy.stop());
  const base = `sc://localhost:${proxy.port}`;
  for (const [url, options, remedy] of [
    [`${base}/;token=S3CRET`, {}, /Is the token right/],
    [base, {}, /Give it a token/],
    [base, { token: async () => "S3CRET" }, /Is the token right/],
    [base, { token: () => Promise.reject(new Error("no role")) }, /the function for the token failed: no role/],
    [base, { token: async () => "" }, /the function for the token gave none/],
  ] as const) {
    const refused = await failure(client(url, options).version());
    expect(refused).toBeInstanceOf(SparkAccessError);
    expect(refused.message).toMatch(remedy);
    expect(inspect(refused, { depth: 10 })).not.toContain("S3CRET");
  }
  proxy.accepts = "Bearer S3CRET";
  expect(await client(`${base}/;token=S3CRET`).version()).toMatch(/^4\.0/);
});

test("nobody", async () => {
  const nobody = await failure(client("sc://127.0.0.1:1").version());
  expect(nobody).toBeInstanceOf(SparkUnreachableError);
  expect(nobody.message).toMatch(
    /^No Spark Connect server answers at 127\.0\.0\.1:1: connect ECONNREFUSED.*\n.*pomona spark start/,
  );
});

test("a web server", async () => {
  const page = createHttpServer((_, response) => response.end("<h1>It works!</h1>"));
  await new Promise<void>((resolve) => page.listen(0, "127.0.0.1", resolve));
  stops.push(() => void page.close());
  const told = await failure(client(`sc://127.0.0.1:${(page.address() as AddressInfo).port}`).version());
  expect(told).toBeInstanceOf(SparkUnreachableError);
  expect(told.message).toContain("what answers is no Spark Connect server");
  const page2 = createHttp2Server((_, response) => response.end("<h1>It works!</h1>"));
  await new Promise<void>((resolve) => page2.listen(0, "127.0.0.1", resolve));
  stops.push(() => void page2.close());
  const told2 = await failure(client(`sc://127.0.0.1:${(page2.address() as AddressInfo).port}`).version());
  expect(told2).toBeInstanceOf(SparkUnreachableError);
  expect(told2.message).toContain("what answers is no Spark Connect server");
});

test("a server that was started anew and does not say so, as Sail and Spark 3.5", async () => {
  const sail = await startSpark("sail");
  const made = client(sail.url);
  expect(await rows(made, "select 1 as a")).toEqual([{ a: 1 }]);
  await stopSpark(sail);
  const again = await startSpark("sail", { args: ["--port", String(sail.port)] });
  stops.push(() => stopSpark(again));
  const first = made.sessionId;
  expect(await failure(rows(made, "select 1 as a"))).toMatchObject({
    name: "SparkSessionLostError",
    sessionId: first,
  });
  expect(await rows(made, "select 2 as a")).toEqual([{ a: 2 }]);
});

test("a program ends when its work is done, with the connection still open, and not before", async () => {
  const program = `
    const { sparkClient } = require(${JSON.stringify(join(__dirname, "../../../dist/engine/spark/client.js"))});
    const client = sparkClient(${JSON.stringify(master)});
    client.version().then((version) => console.log(version));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", program]);
  expect(stdout).toMatch(/^4\.0\.\d+\n$/);
});

test("Spark 3.4", async () => {
  // No 3.4 can be had here: what it would answer.
  const old = createHttp2Server(
    connectNodeAdapter({
      routes: (router) => {
        router.service(SparkConnectService, {
          analyzePlan: () => ({ result: { case: "sparkVersion" as const, value: { version: "3.4.3" } } }),
        });
      },
    }),
  );
  await new Promise<void>((resolve) => old.listen(0, "127.0.0.1", resolve));
  stops.push(() => void old.close());
  const told = await failure(rows(client(`sc://127.0.0.1:${(old.address() as AddressInfo).port}`), "select 1"));
  expect(told).toBeInstanceOf(SparkVersionError);
  expect(told.message).toMatch(/is version 3\.4\.3; 3\.5 or newer is needed/);
});
