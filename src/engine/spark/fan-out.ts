import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { create } from "@bufbuild/protobuf";
import type { DriverContext } from "../../data/batch-function";
import { type ShippedFile, sha256Of } from "../../data/shipped-file";
import type { StructType } from "../../data/types";
import { VERSION } from "../../version";
import type { ArrowTask } from "../../worker/arrow-program";
import type { Step } from "../../worker/task";
import type { SparkClient } from "./client";
import { SparkUnsupportedError } from "./errors";
import { type Archive, nativesArchive, nodeArchive, programAbout, programArchive } from "./executor-archives";
import { ArtifactsUnsupportedError, ExecutorNodeError } from "./executor-errors";
import { probeExecutors } from "./executor-probe";
import { type BesideExecutor, type ExecutorFound, mapperSource } from "./executor-python";
import { type Relation, RelationSchema } from "./protos/spark/connect/relations_pb";
import { pythonFunction } from "./python-function";
import { limitIn } from "./sizes";

/*
 * Functions on a Spark cluster: Spark hands a partition's rows to its Python worker as Arrow batches, which hands them to Node beside
 * it (`executor_worker.py`), where `worker/arrow-program.ts` applies the steps. What that needs travels as the session's files, once.
 */

/** Puts functions beside the executors. */
export interface FanOut {
  /** Begins to find out what the executors have, which takes a while; what goes wrong is told when it is needed. */
  prepare(signal: AbortSignal): void;
  /**
   * A relation whose rows went through the steps beside the executors.
   * @param input has exactly the columns of `inputSchema`, by the names that the steps know
   * @param steps prepared
   * @param output the columns that the last step leaves
   * @param how.preservesRows whether as many rows come out as go in: it is checked
   * @param how.batchRows most rows in memory at a time
   * @throws ExecutorPythonError, ExecutorNodeError, ArtifactsUnsupportedError
   */
  mapPartitions(
    input: Relation,
    inputSchema: StructType,
    steps: readonly Step[],
    output: StructType,
    how: { readonly preservesRows: boolean; readonly batchRows: number },
    signal: AbortSignal,
  ): Promise<Relation>;
  /** Sends what functions need to the session, for as long as that lasts. @throws ArtifactsUnsupportedError */
  readonly ship: DriverContext["ship"];
  /** The same for plans to come: a session that takes a lost one's place gets it too, where a plan still has this very object. */
  broadcast(content: Uint8Array, signal: AbortSignal): Promise<ShippedFile>;
  /** Whether packages with native parts are at hand beside the executors: networks and images are slower without. */
  hasNatives(signal: AbortSignal): Promise<boolean>;
}

/** Node's own oldest for this package, as in package.json. */
const NODE_VERSION = [20, 19] as const;

/** The oldest C library that Node and the packages are built for. */
const GLIBC = "2.28";

/** How Spark cuts a partition's rows into batches: by bytes from 4.0 on; before, by rows alone, which is how it cuts results too. */
const BATCH_BYTES = { name: "spark.sql.execution.arrow.maxBytesPerBatch", bytes: 16 * 1024 * 1024 };
/** Fewer would make results of many rows slow; the program takes as few as it is told at a time. */
const BATCH_ROWS = { name: "spark.sql.execution.arrow.maxRecordsPerBatch", least: 64 };

/** What is beside the executors once everything that they lack is sent. */
interface Beside {
  readonly python: BesideExecutor;
  readonly pythonVersion: string;
  /** What every task needs, and the packages with native parts that only some do. */
  readonly archives: readonly Archive[];
  readonly natives: Archive | undefined;
  readonly hasNatives: boolean;
}

/** @param note tells the user @param setting the session's */
export function fanOut(
  client: SparkClient,
  note: (level: "info" | "warn", text: string) => void,
  setting: (name: string) => string | undefined,
): FanOut {
  /** What the executors have, as a session found it: the next one may be another server's. */
  let finding: { readonly session: string; readonly signal: AbortSignal; readonly beside: Promise<Beside> } | undefined;
  let limited: { readonly session: string; readonly value: string } | undefined;
  const broadcasts = heldContents();

  function beside(signal: AbortSignal): Promise<Beside> {
    if (finding?.session !== client.sessionId) finding = { session: client.sessionId, signal, beside: find(signal) };
    const current = finding;
    return current.beside.catch((error: unknown) => {
      if (finding === current) finding = undefined;
      signal.throwIfAborted();
      // Only the action that asked was interrupted.
      if (current.signal.aborted) return beside(signal);
      throw error;
    });
  }

  async function find(signal: AbortSignal): Promise<Beside> {
    const program = programAbout();
    const asked = { program, nodeVersion: NODE_VERSION };
    const { pythonVersion, found } = await probeExecutors(client, asked, signal);
    const here = machineHere();
    const areLikeHere = found.every((executor) => runsThere(here, executor));
    const isInstalled = found.every((executor) => executor.program !== undefined);
    const natives = areLikeHere && !isInstalled ? await nativesArchive() : undefined;
    const node = await nodeFor(found, here);
    const archives = [isInstalled ? undefined : await programArchive(program), node].filter((a) => a !== undefined);
    if (!isInstalled && natives === undefined) {
      note(
        "warn",
        `${kindsOf(found)} can't have the packages sharp and onnxruntime-node of this machine (${kindOf(here)}): networks and images go by WebAssembly, which is slower. ` +
          "npm install --prefix /opt/pomona of this package on the executors brings theirs.",
      );
    }
    return {
      python: {
        ...asked,
        ...(natives && { natives: natives.name }),
        ...(node && { node: `${node.name}/${basename(process.execPath)}` }),
      },
      pythonVersion,
      archives,
      natives,
      hasNatives: isInstalled || natives !== undefined,
    };
  }

  async function send(
    name: string,
    content: Uint8Array | { readonly path: string },
    signal?: AbortSignal,
  ): Promise<void> {
    try {
      await client.addArtifact(name, content, signal);
    } catch (error) {
      if (!(error instanceof SparkUnsupportedError)) throw error;
      throw new ArtifactsUnsupportedError(client.address, error);
    }
  }

  const sendArchive = ({ name, path }: Archive, signal: AbortSignal) =>
    send(`archives/${name}.tar.gz#${name}`, { path }, signal);

  /** What a Python worker holds of a partition at a time. */
  async function limitBatches(rows: number, signal: AbortSignal): Promise<void> {
    const hasBytes = !(await client.version(signal)).startsWith("3.");
    const [name, most] = hasBytes
      ? [BATCH_BYTES.name, BATCH_BYTES.bytes]
      : [BATCH_ROWS.name, Math.max(rows, BATCH_ROWS.least)];
    const wanted = String(Math.min(most, limitIn(setting(name)) ?? most));
    if (limited?.session === client.sessionId && limited.value === wanted) return;
    await client.setConfig({ [name]: wanted }, signal);
    limited = { session: client.sessionId, value: wanted };
  }

  return {
    prepare(signal) {
      beside(signal).catch(() => {});
    },

    async mapPartitions(input, inputSchema, steps, output, how, signal) {
      const { python, pythonVersion, archives, natives } = await beside(signal);
      for (const archive of archives) await sendArchive(archive, signal);
      if (natives && steps.some(mayNeedNatives)) await sendArchive(natives, signal);
      await limitBatches(how.batchRows, signal);
      const text = JSON.stringify(steps);
      for (const [sha256, content] of broadcasts.all())
        if (text.includes(sha256)) await send(`files/${sha256}`, content, signal);
      const task: Omit<ArrowTask, "partition" | "shipped"> = {
        version: VERSION,
        steps,
        schema: output,
        batchSize: how.batchRows,
      };
      const name = steps.flatMap((step) => (step.kind === "select" ? [] : [step.fn.name])).join(" + ");
      const columns = inputSchema.fields.map((field) => field.name);
      const source = mapperSource(python, JSON.stringify(task), how.preservesRows);
      const func = pythonFunction(name || "copy", "batches", columns, source, output, pythonVersion);
      return create(RelationSchema, { relType: { case: "mapPartitions", value: { input, func } } });
    },

    async ship(content): Promise<ShippedFile> {
      const isFile = "path" in content;
      const sha256 = isFile ? content.sha256 : sha256Of(content);
      await send(`files/${sha256}`, isFile ? { path: content.path } : content);
      const bytes = isFile ? (await stat(content.path)).size : content.byteLength;
      return shipped(sha256, bytes);
    },

    async broadcast(content, signal) {
      const file = shipped(sha256Of(content), content.byteLength);
      await send(`files/${file.sha256}`, content, signal);
      broadcasts.hold(file, content);
      return file;
    },

    hasNatives: async (signal) => (await beside(signal)).hasNatives,
  };
}

/** Networks and images do, and modules of the user's can. */
function mayNeedNatives(step: Step): boolean {
  if (step.kind === "select") return false;
  return step.fn.kind === "source" ? step.fn.imports.length > 0 : step.fn.name.startsWith("image.");
}

function shipped(sha256: string, bytes: number): ShippedFile {
  return { url: `spark-files:${sha256}`, sha256, bytes };
}

/** Contents of files, for as long as someone has the file's object. */
function heldContents() {
  const files = new Set<WeakRef<ShippedFile>>();
  const contents = new WeakMap<ShippedFile, Uint8Array>();
  return {
    hold(file: ShippedFile, content: Uint8Array): void {
      files.add(new WeakRef(file));
      contents.set(file, content);
    },
    *all(): Iterable<readonly [sha256: string, content: Uint8Array]> {
      for (const reference of files) {
        const file = reference.deref();
        const content = file && contents.get(file);
        if (content) yield [file.sha256, content];
        else files.delete(reference);
      }
    },
  };
}

type Machine = Pick<ExecutorFound, "platform" | "arch" | "glibc">;

/** This machine, as an executor tells of itself. */
function machineHere(): Machine {
  const { platform, arch, report } = process;
  // It would ask for the names of all that this process is connected with.
  (report as { excludeNetwork?: boolean }).excludeNetwork = true;
  const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } };
  return { platform, arch, ...(header.glibcVersionRuntime !== undefined && { glibc: header.glibcVersionRuntime }) };
}

/** Whether what is built for this machine runs there. */
export function runsThere(here: Machine, { platform, arch, glibc }: Machine): boolean {
  if (platform !== here.platform || arch !== here.arch) return false;
  if (platform !== "linux") return true;
  return glibc === undefined ? here.glibc === undefined : here.glibc !== undefined && isFrom(glibc, GLIBC);
}

/** `2.9` is older than `2.28`. */
function isFrom(version: string, oldest: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [from = 0, fromMinor = 0] = oldest.split(".").map(Number);
  return major > from || (major === from && minor >= fromMinor);
}

/** This machine's Node, where executors have none. @throws ExecutorNodeError where it does not run there */
async function nodeFor(found: readonly ExecutorFound[], here: Machine): Promise<Archive | undefined> {
  const without = found.filter(({ node }) => node === undefined);
  if (without.length === 0) return undefined;
  const other = without.find((executor) => !runsThere(here, executor));
  if (other) {
    throw new ExecutorNodeError(
      `${other.host} (${kindOf(other)}) has no Node from version ${NODE_VERSION.join(".")} on, and that of this machine (${kindOf(here)}) does not run there.`,
    );
  }
  return nodeArchive();
}

function kindOf({ platform, arch, glibc }: Machine): string {
  return `${platform} ${arch}${glibc === undefined ? "" : `, glibc ${glibc}`}`;
}

function kindsOf(found: readonly ExecutorFound[]): string {
  return `The executors (${[...new Set(found.map(kindOf))].join("; ")})`;
}
