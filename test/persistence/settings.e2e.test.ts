import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { venvProgram } from "../support/jupyter";

const SIDE = join(__dirname, "..", "..", "kernel-ext", "python", "src");
const READ = `
import json, sys
from pomona_jupyter.s3.settings import SettingsError, check_user, find_file, read_settings, user_name
def tried(call):
    try:
        return call()
    except SettingsError as error:
        return {"error": error.message, "remedy": error.remedy}
def settings(file):
    read = read_settings(file)
    return read and vars(read)
files, users, envs = json.load(sys.stdin)
json.dump([[tried(lambda: settings(file)) for file in files], [tried(lambda: check_user(user, "x")) for user in users],
    [tried(lambda: str(find_file(folder, env))) if folder else tried(lambda: user_name(env)) for folder, env in envs]], sys.stdout)
`;

const conf = (properties: unknown, more: readonly object[] = []) =>
  JSON.stringify([...more, { Classification: "jupyter-s3-conf", Properties: properties }]);
const on = { "s3.persistence.enabled": "true", "s3.persistence.bucket": "MyJupyterBackups".toLowerCase() };

const FILES: readonly (readonly [text: string, read: unknown])[] = [
  [conf(on), { bucket: "myjupyterbackups", endpoint: null, region: null }],
  [
    conf(on, [{ Classification: "spark", Properties: {} }]),
    { bucket: "myjupyterbackups", endpoint: null, region: null },
  ],
  [
    `\ufeff${conf({ ...on, "s3.persistence.enabled": true })}`,
    { bucket: "myjupyterbackups", endpoint: null, region: null },
  ],
  [
    JSON.stringify({ Classification: "jupyter-s3-conf", Properties: { ...on, "s3.persistence.region": "eu-west-3" } }),
    { bucket: "myjupyterbackups", endpoint: null, region: "eu-west-3" },
  ],
  [
    conf({ ...on, "s3.persistence.endpoint": "https://s3.example:9000" }),
    { bucket: "myjupyterbackups", endpoint: "https://s3.example:9000", region: null },
  ],
  [conf({ "s3.persistence.enabled": "false" }), null],
  [conf({}), null],
  ["{", /is no JSON/],
  ["[]", /no classification "jupyter-s3-conf"/],
  ['"x"', /no classification/],
  [conf([]), /"Properties" is no object/],
  [conf({ "s3.persistence.enabled": "yes" }), /enabled is 'yes'.*"true" or "false"/],
  [conf({ "s3.persistence.enabled": "true" }), /not in which bucket.*Add "s3.persistence.bucket"/],
  [conf({ ...on, "s3.persistence.bucket": "s3://b/x" }), /not the name of a bucket.*without s3:\/\//],
  [conf({ ...on, "s3.persistence.buckets": "x" }), /sets s3.persistence.buckets, which means nothing/],
  [
    conf({ ...on, "s3.persistence.access.key": "AKIA" }),
    /sets s3.persistence.access.key: credentials don't belong.*role/,
  ],
  [conf({ ...on, aws_secret_access_key: "x" }), /credentials don't belong/],
  [conf({ ...on, "s3.persistence.endpoint": "localhost:9000" }), /begins with http/],
  [conf(on, [{ Classification: "jupyter-s3-conf", Properties: on }]), /2 times/],
];

describe("jupyter-s3-conf.json", () => {
  const folder = mkdtempSync(join(tmpdir(), "pomona-conf-"));
  const paths = FILES.map(([text], i) => {
    const path = join(folder, `${i}.json`);
    writeFileSync(path, text);
    return path;
  });
  writeFileSync(join(folder, "jupyter-s3-conf.json"), conf(on));
  const users = ["ann", "ann@example.com", "Ann Lee", "é", "..", ".", "", "a/b", "a\\b", "a\0b"];
  const env = [
    [folder, {}],
    [tmpdir(), {}],
    [tmpdir(), { POMONA_S3_CONF: paths[0] }],
    [folder, { POMONA_S3_CONF: join(folder, "none") }],
    ["", { JUPYTERHUB_USER: "ann", POMONA_S3_USER: "bob" }],
    ["", { POMONA_S3_USER: "bob" }],
    ["", { JUPYTERHUB_USER: "../bob" }],
  ];
  let read: unknown[][];

  beforeAll(() => {
    const input = JSON.stringify([paths, users, env]);
    const options = { input, env: { ...process.env, PYTHONPATH: SIDE }, encoding: "utf8" } as const;
    read = JSON.parse(execFileSync(venvProgram("python"), ["-c", READ], options));
  });

  it.each(FILES.map(([text, expected], i) => [text.slice(0, 100), expected, i] as const))(
    "is read as EMR has it: %s",
    (_, expected, i) => {
      const found = read[0]?.[i];
      if (!(expected instanceof RegExp)) return expect(found).toEqual(expected);
      const { error, remedy } = found as { error: string; remedy: string };
      expect(`${error} ${remedy}`).toMatch(expected);
      expect(error).toContain(paths[i]);
    },
  );

  it("gives each user a folder, and none a way out of it", () => {
    expect(read[1]?.slice(0, 4)).toEqual(users.slice(0, 4));
    for (const refused of read[1]?.slice(4) ?? []) {
      expect(refused).toMatchObject({ error: expect.stringMatching(/no folder of its own/) });
    }
  });

  it("is found beside the notebooks, or where POMONA_S3_CONF says", () => {
    const none = { error: expect.stringMatching(/There is no file/), remedy: expect.anything() };
    const refused = { error: expect.stringMatching(/no folder of its own/), remedy: expect.anything() };
    const [path] = paths;
    expect(read[2]).toEqual([join(folder, "jupyter-s3-conf.json"), "None", path, none, "ann", "bob", refused]);
  });
});
