import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { afterEach } from "vitest";
import type { Workplace } from "./command-line";

const DIST = join(__dirname, "..", "..", "dist");

/** What a program has said so far, and its exit code once it has ended. */
export interface ProgramOutput {
  out: string;
  err: string;
  code: number | null | undefined;
}

export interface SessionProgram {
  readonly child: ChildProcess;
  readonly output: ProgramOutput;
  readonly ended: Promise<ProgramOutput>;
}

/** Runs programs with a session in a workplace; each prints its events, a line each. They end with their test. */
export function sessionPrograms(at: Workplace, env: () => Readonly<Record<string, string>>) {
  const children: ChildProcess[] = [];
  let count = 0;
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
  });
  return function program(
    body: string,
    settings: Readonly<Record<string, string>> = {},
    more: {
      readonly env?: Readonly<Record<string, string>>;
      /** As a user that file permissions apply to. */
      readonly unprivileged?: boolean;
    } = {},
  ): SessionProgram {
    const file = at.file(
      `program-${count++}.cjs`,
      `const { Session } = require(${JSON.stringify(DIST)});
const { col, udf } = require(${JSON.stringify(join(DIST, "functions"))});
(async () => {
  const session = await Session.builder().appName("program").master("local[2]").config(${JSON.stringify(settings)}).getOrCreate();
  session.onEvent((event) => process.stdout.write(JSON.stringify(event) + "\\n"));
  const slow = udf((id) => { const end = Date.now() + 40; while (Date.now() < end); return id; }, { returns: "double" });
  const bad = udf((id) => { if (id === 77) throw new Error("no luck"); return id; }, { returns: "double" });
  const run = (n, tasks) => session.range(n).repartition(tasks).select(slow("id").alias("x")).collect();
  ${body}
})().catch((error) => { console.error(error); process.exitCode = 1; });
`,
    );
    const child = spawn(process.execPath, [file], {
      cwd: at.path(),
      env: { ...process.env, ...env(), TMPDIR: at.path("tmp"), ...more.env },
      stdio: ["ignore", "pipe", "pipe"],
      ...(more.unprivileged && process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}),
    });
    children.push(child);
    const output: ProgramOutput = { out: "", err: "", code: undefined };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output.out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output.err += text));
    const ended = new Promise<ProgramOutput>((resolve) =>
      child.once("close", (code) => resolve(Object.assign(output, { code }))),
    );
    return { child, output, ended };
  };
}

/** The events that a program has printed. */
export function eventsIn({ out }: ProgramOutput): { readonly time: number; readonly type: string }[] {
  return out
    .split("\n")
    .flatMap((line) =>
      line.startsWith("{") && line.endsWith("}") ? [JSON.parse(line) as { time: number; type: string }] : [],
    );
}
