import { expect, test } from "vitest";
import type { HostConnection, HostLoss } from "../../src/engine/jupyter/connection";
import { hostOf } from "../../src/engine/jupyter/endpoint-host";
import { servedFiles } from "../../src/engine/jupyter/served-files";
import { travel } from "../../src/engine/jupyter/travel";
import { VERSION } from "../../src/version";

test("a machine that is lost answers no probe, and nobody waits for one: neither for what was asked nor for what is", async () => {
  let lose: (loss: HostLoss) => void = () => {};
  const sent: string[] = [];
  const connection: HostConnection = {
    hello: { version: VERSION, node: "v20", cores: 1, memory: 1, slots: 1 } as HostConnection["hello"],
    send: ({ type }) => void sent.push(type),
    onMessage: undefined,
    lost: new Promise((resolve) => {
      lose = resolve;
    }),
    hold: () => () => {},
    close: async () => {},
  };
  const settings = { name: "a:1", url: "http://a:1", env: {} } as Parameters<typeof hostOf>[0];
  const { probe } = hostOf(settings, connection, servedFiles(travel(() => {})));
  const asked = probe("/a");
  lose({ why: "it was closed", loss: "connection" });
  expect(await asked).toBeNull();
  expect(await probe("/b")).toBeNull();
  expect(sent).toEqual(["probe"]);
});
