import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cachedEntry, cacheEntry } from "./cache-entry";
import { SparkInstallError } from "./errors";
import { SAIL, type SparkRelease } from "./releases";
import { cachedS3aJars, s3aJars } from "./s3a-jars";
import { runTool } from "./tool";

/** Wheels of numpy 1.26 and pyarrow 19 are for these. */
const PYTHONS = { first: 10, last: 12 } as const;
/** Adds the compiled form to each module in a zip; a Python of another version passes over it. */
const COMPILE_ZIP = `
import os, py_compile, sys, tempfile, zipfile
path, unchecked = sys.argv[1], py_compile.PycInvalidationMode.UNCHECKED_HASH
with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path, "a") as packed:
    for name in packed.namelist():
        if name.endswith(".py"):
            source = packed.extract(name, folder)
            compiled = py_compile.compile(source, source + "c", os.path.join(path, name), True, invalidation_mode=unchecked)
            packed.write(compiled, name + "c")
`;
const COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy";

export interface InstallOptions {
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
  /** How many of the packages are on their way. */
  readonly onPackages: (done: number, total: number) => void;
}

export interface InstalledSpark {
  readonly python: string;
  /** SPARK_HOME. */
  readonly home: string;
  /** The folder with the jars of S3A; undefined where they could not be fetched. */
  readonly s3a: string | undefined;
}

/** What is there of a release, and what would be fetched. */
export function missingOf(release: SparkRelease): readonly string[] {
  return [
    ...(cachedEntry(entryOf("spark", release)) ? [] : [`Spark ${release.version} from PyPI, 900 MB`]),
    ...(cachedS3aJars(release.s3a) ? [] : [`the jars of S3A for Hadoop ${release.s3a.hadoop} from Maven, 20 MB`]),
  ];
}

/** Whether Sail is there already. */
export const hasSail = (): boolean => cachedEntry(entryOf("sail", SAIL)) !== undefined;

/** Installs a release into an environment of its own in the cache folder, where it is missing. @throws SparkInstallError, CancelledError */
export async function installSpark(release: SparkRelease, options: InstallOptions): Promise<InstalledSpark> {
  const name = entryOf("spark", release);
  const venv = await cacheEntry(
    name,
    async (folder) => {
      options.note(`Installing Spark ${release.version} (once, 900 MB, some minutes) into ${folder}`);
      if (release.connect !== undefined) await needMaven(`Spark Connect of Spark ${release.version}`);
      await createVenv(folder, release.packages, options);
      // Executors' Python has Spark's side from here, and would compile it at each session's start, for half a second.
      const zip = join(await sparkHome(folder), "python", "lib", "pyspark.zip");
      await runTool(pythonOf(folder), ["-c", COMPILE_ZIP, zip], options);
      if (release.connect === undefined) return;
      const jars = join(await sparkHome(folder), "jars");
      await runTool("mvn", ["-q", "-B", COPY, `-Dartifact=${release.connect}`, `-DoutputDirectory=${jars}`], options);
    },
    options,
  );
  return { python: pythonOf(venv), home: await sparkHome(venv), s3a: await s3aWhereItCanBe(release, options) };
}

/** Installs Sail. @returns the environment's folder of programs @throws SparkInstallError, CancelledError */
export async function installSail(
  options: InstallOptions,
): Promise<{ readonly python: string; readonly sail: string }> {
  const build = (folder: string) => {
    options.note(`Installing Sail ${SAIL.version} (once, 600 MB) into ${folder}`);
    return createVenv(folder, SAIL.packages, options);
  };
  const venv = await cacheEntry(entryOf("sail", SAIL), build, options);
  return { python: pythonOf(venv), sail: join(venv, "bin", "sail") };
}

/** Without them all but S3 works. */
async function s3aWhereItCanBe({ s3a }: SparkRelease, options: InstallOptions): Promise<string | undefined> {
  try {
    if (!cachedS3aJars(s3a)) await needMaven("S3A");
    return await s3aJars(s3a, options);
  } catch (error) {
    if (!(error instanceof SparkInstallError)) throw error;
    options.note(`s3:// and s3a:// will not work on this server. ${error.message}`);
    return undefined;
  }
}

/** @throws SparkInstallError */
async function needMaven(what: string): Promise<void> {
  await promisify(execFile)("mvn", ["--version"]).catch((cause) => {
    throw new SparkInstallError(`Maven, which fetches ${what} once, was not found or does not start.`, {
      cause,
      remedy: "Install it (Debian, Ubuntu: apt-get install maven; macOS: brew install maven).",
    });
  });
}

async function createVenv(folder: string, packages: readonly string[], options: InstallOptions): Promise<void> {
  await runTool(await findPython(), ["-m", "venv", folder], options);
  let done = 0;
  const onLine = (line: string) => {
    if (/^Collecting /.test(line)) options.onPackages(Math.min(++done, packages.length), packages.length);
  };
  const quietly = ["--disable-pip-version-check", "--no-input", "--prefer-binary", "--progress-bar", "off"];
  await runTool(pythonOf(folder), ["-m", "pip", "install", ...quietly, ...packages], { ...options, onLine });
}

/** `POMONA_PYTHON`, else the first fit one on PATH. @throws SparkInstallError */
async function findPython(): Promise<string> {
  const { first, last } = PYTHONS;
  const minors = Array.from({ length: last - first + 1 }, (_, i) => `python3.${last - i}`);
  const script = "import venv, ensurepip, sys; print(sys.version_info[1] if sys.version_info[0] == 3 else 0)";
  const found: string[] = [];
  for (const command of process.env.POMONA_PYTHON ? [process.env.POMONA_PYTHON] : ["python3", ...minors]) {
    const asked = await promisify(execFile)(command, ["-c", script]).catch(() => undefined);
    if (asked === undefined) continue;
    const minor = Number(asked.stdout.trim());
    if (minor >= first && minor <= last) return command;
    found.push(`${command} is 3.${minor}`);
  }
  throw new SparkInstallError(
    `Spark's Python side needs Python 3.${first} to 3.${last} with venv; ${found.length > 0 ? found.join(", ") : "there is none on PATH"}.`,
    { remedy: "Install one (Debian, Ubuntu: apt-get install python3-venv), or let POMONA_PYTHON name it." },
  );
}

async function sparkHome(venv: string): Promise<string> {
  const lib = join(venv, "lib");
  const python = (await readdir(lib)).find((name) => name.startsWith("python3"));
  return join(lib, python ?? "python3", "site-packages", "pyspark");
}

const pythonOf = (venv: string) => join(venv, "bin", "python");

/** A change of what is in it makes a new one. */
function entryOf(
  kind: string,
  { version, packages, ...more }: { version: string; packages: readonly string[]; connect?: string },
) {
  const print = createHash("sha256")
    .update(JSON.stringify([packages, more.connect, ...(kind === "spark" ? [COMPILE_ZIP] : [])]))
    .digest("hex")
    .slice(0, 12);
  return `${kind}-${version}-${print}`;
}
