import { execFile } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { errorFromSpark } from "../../../src/engine/spark/executor-errors";
import {
  type BesideExecutor,
  type ExecutorFound,
  mapperSource,
  proberSource,
} from "../../../src/engine/spark/executor-python";
import { pickleOf } from "../../../src/engine/spark/python-function";
import { parseSchema } from "../../../src/frame/ddl";
import { VERSION } from "../../../src/version";
import type { Step } from "../../../src/worker/task";
import { isAlive } from "../../support/processes";
import { sparkServer } from "../../support/spark";

const PACKAGE = join(__dirname, "../../..");
const run = promisify(execFile);

let folder: string;
/** Of Spark's environment, and a folder with its packages. */
let python: string;
let packages: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pomona-beside-"));
  ({ python } = await sparkServer("3.5"));
  const { stdout } = await run(python, [
    "-c",
    "import os, pyspark; print(os.path.dirname(os.path.dirname(pyspark.__file__)))",
  ]);
  // Alone: what lies beside it is for that Python.
  packages = join(folder, "packages");
  mkdirSync(packages);
  for (const name of ["pyspark", "py4j"]) symlinkSync(join(stdout.trim(), name), join(packages, name));
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const about = () => require(join(PACKAGE, "dist/executor/about.json")) as BesideExecutor["program"];
const beside = (): BesideExecutor => ({ program: about(), nodeVersion: [20, 19] });

/** A column that says which process made it. */
const STEPS: readonly Step[] = [
  {
    kind: "column",
    fn: {
      kind: "source",
      name: "f",
      code: "((id) => id + ' ' + process.pid)",
      form: "row",
      broadcast: {},
      imports: [],
    },
    args: ["id"],
    as: "out",
    type: "string",
  },
];

function mapper(steps = STEPS): string {
  const file = join(folder, "mapper.pickle");
  const task = { version: VERSION, steps, schema: parseSchema("id long, out string"), batchSize: 100 };
  writeFileSync(file, pickleOf(mapperSource(beside(), JSON.stringify(task), true)));
  return file;
}

/** What Spark's Python worker does with a function of batches, and a line for each thing that the test wants to know. */
const WORKER = `
import json, os, pickle, signal, sys, time
import pyarrow as pa

def tell(**said):
    print(json.dumps(said), flush=True)

function, _ = pickle.load(open(sys.argv[1], "rb"))
kept = sys.modules["pomona_kept"]

def batches(count, rows=50):
    for i in range(count):
        yield pa.record_batch([pa.array(range(i * rows, (i + 1) * rows), pa.int64())], names=["id"])

def pid():
    return None if getattr(kept, "node", None) is None else kept.node.process.pid

def rows(source):
    try:
        out = [text for batch in function(source) for text in batch.column(1).to_pylist()]
        tell(rows=len(out), last=out[-1] if out else None, node=pid())
    except Exception as error:
        tell(error=str(error), node=pid())
`;

async function worker(
  program: string,
  env: Record<string, string>,
  file = mapper(),
): Promise<Record<string, unknown>[]> {
  const { stdout } = await run(python, ["-c", WORKER + program, file], {
    env: { ...process.env, PYTHONPATH: "", ...env },
  });
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** A folder as POMONA_HOME, whose Node is a program in Python. */
function fakeNode(name: string, source: string, version = "v20.19.0"): string {
  const home = join(folder, name);
  mkdirSync(join(home, "bin"), { recursive: true });
  const node = join(home, "bin", "node");
  writeFileSync(
    node,
    `#!${python}\nimport sys\nif "--version" in sys.argv: print("${version}"); sys.exit()\n${source}`,
  );
  chmodSync(node, 0o755);
  return home;
}

/** Reads a task whole, and gives its first batch alone. */
const FIRST_BATCH = `
import io, json, os, struct
import pyarrow as pa
def piece():
    return sys.stdin.buffer.read(struct.unpack("<I", sys.stdin.buffer.read(4))[0])
def send(data):
    sys.stdout.buffer.write(struct.pack("<I", len(data)) + data)
    sys.stdout.buffer.flush()
json.loads(piece())
stream = b""
while True:
    part = piece()
    if not part: break
    stream += part
batch = pa.ipc.open_stream(stream).read_next_batch()
out = pa.record_batch([batch.column(0), pa.array(["x"] * batch.num_rows)], names=["id", "out"])
sink = pa.BufferOutputStream()
with pa.ipc.new_stream(sink, out.schema) as writer: writer.write_batch(out)
`;

describe("what runs in an executor's Python", () => {
  it("keeps one node process for its tasks, none for a partition without rows, and starts another where that was lost", async () => {
    const said = await worker(
      `
rows(iter([]))
rows(batches(3))
rows(batches(20))
lost = pid()
os.kill(lost, signal.SIGKILL)
# It is over, and still to be asked for.
os.waitid(os.P_PID, lost, os.WEXITED | os.WNOWAIT)
rows(batches(2))
`,
      { POMONA_HOME: PACKAGE },
    );
    expect(said.map(({ rows }) => rows)).toEqual([0, 150, 1000, 100]);
    expect(said[0]).toMatchObject({ node: null });
    expect(said[1]!.node).toEqual(said[2]!.node);
    expect(said[3]!.node).not.toEqual(said[2]!.node);
    expect(said[2]!.last).toBe(`999 ${said[2]!.node}`);
  });

  it("ends the node process with a task that nobody reads to its end, and when it is killed itself", async () => {
    const said = await worker(
      `
task = function(batches(1000))
next(task)
node = pid()
task.close()
tell(left=pid(), was=node)
rows(batches(1))
os.kill(os.getpid(), signal.SIGKILL)
`,
      { POMONA_HOME: PACKAGE },
    ).catch((error: { stdout: string }) =>
      error.stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    );
    expect(said[0]!.left).toBeNull();
    await expect.poll(() => isAlive(Number(said[0]!.was))).toBe(false);
    await expect.poll(() => isAlive(Number(said[1]!.node))).toBe(false);
  });

  it("takes no result that lacks rows", async () => {
    const lying = fakeNode(
      "lying",
      `${FIRST_BATCH}send(sink.getvalue().to_pybytes()); send(b""); send(json.dumps(dict(rowsIn=150, rows=150, failedRows=0)).encode())`,
    );
    const honest = fakeNode(
      "honest",
      `${FIRST_BATCH}send(sink.getvalue().to_pybytes()); send(b""); send(json.dumps(dict(rowsIn=150, rows=50, failedRows=0)).encode())`,
    );
    for (const home of [lying, honest]) {
      const [said] = await worker("rows(batches(3))", { POMONA_HOME: home });
      const error = errorFromSpark(String(said!.error));
      expect(error).toMatchObject({ remoteName: "LostRowsError", message: expect.stringContaining("50 came back") });
      expect(said!.node).toBeNull();
    }
  });

  it("tells how a node process ended, with what it said last", async () => {
    const leaves = fakeNode(
      "leaves",
      `${FIRST_BATCH}send(sink.getvalue().to_pybytes()); print("out of luck", file=sys.stderr); os._exit(0)`,
    );
    const dies = fakeNode("dies", `print("no memory", file=sys.stderr); sys.exit(3)`);
    const [left] = await worker("rows(batches(3))", { POMONA_HOME: leaves });
    const [died] = await worker("rows(batches(3))", { POMONA_HOME: dies });
    const lost = [errorFromSpark(String(left!.error)), errorFromSpark(String(died!.error))];
    expect(lost[0]).toMatchObject({
      remoteName: "WorkerLostError",
      message: expect.stringMatching(/ended with code 0 in the middle of a task:\nout of luck/),
    });
    expect(lost[1]).toMatchObject({
      remoteName: "WorkerLostError",
      message: expect.stringMatching(/ended with code 3 in the middle of a task:\nno memory/),
    });
  });

  it("says what Node there is where none does", async () => {
    const [said] = await worker("rows(batches(1))", { POMONA_HOME: fakeNode("old", "", "v18.2.0"), PATH: folder });
    expect(errorFromSpark(String(said!.error))).toMatchObject({
      name: "ExecutorNodeError",
      message: expect.stringMatching(
        /no Node from version 20\.19 on, only .*old\/bin\/node \(18\.2\.0\)\.\nInstall Node/,
      ),
    });
  });

  it.each(pythonsAtHand())("is read by %s, which tells what it has", async (interpreter) => {
    const files = [join(folder, "prober.pickle"), mapper()];
    writeFileSync(files[0]!, pickleOf(proberSource(beside())));
    const program = `import pickle, sys\nprobe, _ = pickle.load(open(sys.argv[1], "rb"))\npickle.load(open(sys.argv[2], "rb"))\nprint(probe(0))`;
    const { stdout } = await run(interpreter, ["-c", program, ...files], {
      env: { ...process.env, PYTHONPATH: packages },
    });
    const found = JSON.parse(stdout) as ExecutorFound;
    expect(found).toMatchObject({ platform: process.platform, arch: process.arch, node: process.versions.node });
    const { stdout: version } = await run(interpreter, ["-c", "import platform; print(platform.python_version())"]);
    expect(found.python).toBe(version.trim());
    // That package is another Python's: an executor with such a mistake is told so.
    expect(found.pyarrow === undefined).toBe(found.problem !== undefined);
  });
});

/** From 3.8 on, of pyenv and on the PATH. */
function pythonsAtHand(): string[] {
  const pyenv = join(homedir(), ".pyenv", "versions");
  const versions = existsSync(pyenv) ? readdirSync(pyenv).filter((name) => /^3\.(?:[89]|1\d)\./.test(name)) : [];
  return ["python3", ...versions.map((name) => join(pyenv, name, "bin", "python"))];
}
