import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { join } from "node:path";
import { VERSION } from "../../src/version";
import type { ArrowTask, ArrowTaskEnd } from "../../src/worker/arrow-program";
import { pieceHead, piecesOf } from "../../src/worker/pieces";

/** The program that travels to executors, as the build makes it. */
export const PROGRAM = join(__dirname, "../../dist/executor/program.cjs");

/** A task, but for what is the same in most tests. */
type SomeTask = Partial<ArrowTask> & Pick<ArrowTask, "steps" | "schema">;

interface Result {
  readonly output: Buffer;
  readonly end: ArrowTaskEnd;
}

/** One process of it, and what the process beside it does. */
export interface Program {
  readonly child: ChildProcessWithoutNullStreams;
  /** Runs a task. @param input an Arrow stream */
  run(task: SomeTask, input: Uint8Array): Promise<Result>;
  /** Writes a task; resolves once the program has taken it all. */
  begin(task: SomeTask, input: Uint8Array): Promise<void>;
  /** Reads what comes of it. */
  result(): Promise<Result>;
  /** All that it wrote to its standard error. */
  said(): string;
  /** Ends its input. @returns its exit code */
  close(): Promise<number | null>;
}

export function startProgram({
  file = PROGRAM,
  env = {},
}: {
  file?: string;
  env?: Record<string, string>;
} = {}): Program {
  const child = spawn(process.execPath, [file], { env: { ...process.env, ...env }, stdio: "pipe" });
  const said: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => said.push(text));
  child.stdin.on("error", () => {});
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  const output = piecesOf(child.stdout);
  const send = (piece: Uint8Array) =>
    new Promise<void>((resolve) =>
      child.stdin.write(Buffer.concat([pieceHead(piece.byteLength), piece]), () => resolve()),
    );

  async function begin(task: SomeTask, input: Uint8Array): Promise<void> {
    const header = { version: VERSION, partition: 0, batchSize: 16, shipped: "", ...task };
    await send(Buffer.from(JSON.stringify(header)));
    // As pyarrow writes it: in pieces of any size.
    for (let at = 0; at < input.byteLength; at += PIECE) await send(input.subarray(at, at + PIECE));
    await send(new Uint8Array());
  }

  async function result(): Promise<Result> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of output.stream()) chunks.push(chunk);
    const end = await output.next();
    if (!end) throw new Error(`The program ended: ${said.join("")}`);
    return { output: Buffer.concat(chunks), end: JSON.parse(Buffer.from(end).toString("utf8")) as ArrowTaskEnd };
  }

  return {
    child,
    begin,
    result,
    said: () => said.join(""),
    async run(task, input) {
      const [, made] = await Promise.all([begin(task, input), result()]);
      return made;
    },
    close() {
      child.stdin.end();
      return closed;
    },
  };
}

const PIECE = 10_001;
