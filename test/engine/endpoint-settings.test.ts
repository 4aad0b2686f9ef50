import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { checkMaster } from "../../src/engine/engines";
import { endpointSettings } from "../../src/engine/jupyter/endpoint-settings";
import { RuntimeConfig } from "../../src/session/configuration";

const folder = mkdtempSync(join(tmpdir(), "pomona-endpoints-"));
const tokenFile = join(folder, "token");
writeFileSync(tokenFile, "of-a-file\n");
afterAll(() => rmSync(folder, { recursive: true }));

const of = (master: string, settings: Record<string, string> = {}, env: Record<string, string> = {}) =>
  endpointSettings(master, settings, env).map(({ url, token, slots }) => [url, token?.reveal(), slots]);

describe("a master of Jupyter servers", () => {
  it("names one or several, with a path and by TLS", () => {
    expect(of("jupyter://a:8888")).toEqual([["http://a:8888", undefined, undefined]]);
    expect(of("jupyters://a:1,b:2/user/ann/, c").map(([url]) => url)).toEqual([
      "https://a:1",
      "https://b:2/user/ann",
      "https://c",
    ]);
    expect(of("jupyter://a:1,a:1")).toHaveLength(1);
  });

  it.each(["jupyter://", "jupyter:a:8888", "jupyter://a:x", "jupyter://a,,b", "jupyter://a b", "jupyters", "jupyter:"])(
    "is refused where it is wrong: %s",
    (master) => expect(() => checkMaster(master)).toThrow("is not a master URL"),
  );

  it.each(["jupyter://a:1?token=hush", "jupyter://ann:hush@a:1", "jupyter://a:1#hush"])(
    "has no token in it, and none is repeated",
    (master) => {
      let thrown: unknown;
      try {
        checkMaster(master);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject({ name: "IllegalArgumentError" });
      expect(inspect(thrown)).not.toContain("hush");
    },
  );
});

describe("the endpoints of a session", () => {
  it("have a token of their own, of a file, of the settings or of the environment", () => {
    const listed = JSON.stringify([
      { url: "http://a:1/", token: "own", slots: 3 },
      { url: "http://b:2", tokenFile },
      { url: "http://c:3" },
    ]);
    const settings = { "pomona.endpoints": listed, "pomona.endpoints.token": "general" };
    const all = [
      ["http://a:1", "own", 3],
      ["http://b:2", "of-a-file", undefined],
      ["http://c:3", "general", undefined],
    ];
    expect(of("jupyter", settings, { POMONA_ENDPOINT_TOKEN: "variable" })).toEqual(all);
    expect(of("jupyter://c:3,a:1", settings)).toEqual([all[2], all[0]]);
    expect(of("jupyter://c:3", {}, { POMONA_ENDPOINT_TOKEN: "variable" })[0]?.[1]).toBe("variable");
    const file = join(folder, "endpoints.json");
    writeFileSync(file, listed);
    expect(of("jupyter", { "pomona.endpoints": file })).toHaveLength(3);
  });

  it("are refused where they are wrong, without a word of a token", () => {
    const wrong: readonly (readonly [string, string])[] = [
      ["", "needs endpoints"],
      ['[{"url": "http://a:1", "token": "hush"', "is no JSON"],
      ['[{"url": "http://a:1", "token": hush}]', "is no JSON"],
      ['["hush"]', "must be a list of objects"],
      ['[{"url": "http://a:1?token=hush"}]', "without a token in it"],
      ['[{"url": "http://a:1", "tokens": "hush"}]', 'Did you mean "token"'],
      ['[{"url": "http://a:1", "token": ["hush"]}]', "token of endpoint a:1 must be text"],
      ['[{"url": "http://a:1", "slots": 0}]', "slots of endpoint a:1"],
      ['[{"url": "http://a:1", "env": {"A": 1}}]', "env of endpoint a:1"],
      ['[{"url": "http://a:1", "tokenFile": "/not/there"}]', "can't be read"],
      [join(folder, "not-there.json"), "can't be read: ENOENT"],
    ];
    for (const [text, what] of wrong) {
      let thrown: unknown;
      try {
        of("jupyter", { "pomona.endpoints": text });
      } catch (error) {
        thrown = error;
      }
      expect(inspect(thrown)).toContain(what);
      expect(inspect(thrown)).not.toContain("hush");
    }
  });

  it("show no token", () => {
    const conf = new RuntimeConfig();
    conf.set("pomona.endpoints", '[{"url": "http://a:1", "token": "hu\\"sh", "tokenFile": "/f"}]');
    conf.set("pomona.endpoints.token", "hush");
    expect(conf.get("pomona.endpoints")).toBe('[{"url": "http://a:1", "token": "***", "tokenFile": "/f"}]');
    expect(inspect([conf, conf.getAll()])).not.toMatch(/hush|sh"/);
    expect(inspect(endpointSettings("jupyter", conf.unmasked()), { depth: 9 })).not.toContain("hu");
  });
});
