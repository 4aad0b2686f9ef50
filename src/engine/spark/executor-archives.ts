import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { sha256Of } from "../../data/shipped-file";
import { PomonaError } from "../../errors";
import { cacheFolder } from "../../kernel/cache-folder";

/** A folder that travels: Spark unpacks it under its name, beside a session's other files. */
export interface Archive {
  /** Has the content's hash in it. */
  readonly name: string;
  readonly path: string;
}

/** Says which program `dist/executor` has. */
export interface ProgramAbout {
  readonly version: string;
  readonly hash: string;
}

const EXECUTOR = join(__dirname, "..", "..", "executor");

/** What `scripts/build-executor.mjs` wrote of the program. */
export function programAbout(): ProgramAbout {
  return JSON.parse(readFileSync(join(EXECUTOR, "about.json"), "utf8")) as ProgramAbout;
}

/** The program that does tasks, with all that it needs but packages with native parts. */
export function programArchive({ hash }: ProgramAbout): Promise<Archive> {
  return archive(`pomona-${hash}`, [{ from: EXECUTOR, paths: ["."] }]);
}

/** This process's own Node. */
export async function nodeArchive(): Promise<Archive> {
  const { size, mtimeMs } = await stat(process.execPath);
  const { version, platform, arch } = process;
  const hash = sha256Of(JSON.stringify([version, platform, arch, size, mtimeMs])).slice(0, 8);
  return archive(`node-${version}-${platform}-${arch}-${hash}`, [
    { from: dirname(process.execPath), paths: [basename(process.execPath)] },
  ]);
}

/** Packages with native parts, and what of each is needed by machines such as this one; all of it where nothing is said. */
const NATIVE: Readonly<Record<string, readonly string[]>> = {
  sharp: [],
  "onnxruntime-node": ["package.json", "dist", join("bin", "napi-v6", process.platform, process.arch)],
};

/** Only for their installation. */
const INSTALLERS = new Set(["adm-zip", "global-agent"]);

/** The packages with native parts that are installed here, for machines such as this one; undefined where there are none. */
export async function nativesArchive(): Promise<Archive | undefined> {
  const packages = new Map(Object.keys(NATIVE).flatMap((name) => withDependencies(name, __dirname)));
  if (packages.size === 0) return undefined;
  const contents: Content[] = [];
  const versions: string[] = [];
  for (const [home, { name, version }] of packages) {
    const parts = NATIVE[name] ?? [];
    contents.push({
      from: home.slice(0, -name.length),
      paths: parts.length > 0 ? parts.map((part) => join(name, part)) : [name],
    });
    versions.push(`${name}@${version}`);
  }
  const hash = sha256Of(JSON.stringify(versions.sort())).slice(0, 16);
  return archive(`natives-${process.platform}-${process.arch}-${hash}`, contents);
}

/** A package and what it needs, each by its folder; none where it is not installed. */
function withDependencies(name: string, from: string): [home: string, manifest: Manifest][] {
  const home = createRequire(join(from, "index.js"))
    .resolve.paths(name)
    ?.map((folder) => join(folder, name))
    .find((folder) => existsSync(join(folder, "package.json")));
  if (home === undefined) return [];
  const manifest = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as Manifest;
  const needed = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
  return [
    [home, manifest],
    ...needed.filter((other) => !INSTALLERS.has(other)).flatMap((other) => withDependencies(other, home)),
  ];
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** @property paths below `from`, which keep their names */
interface Content {
  readonly from: string;
  readonly paths: readonly string[];
}

const making = new Map<string, Promise<Archive>>();

/** The archive of that name, out of the cache where it has been made before. */
function archive(name: string, contents: readonly Content[]): Promise<Archive> {
  const made = making.get(name) ?? makeArchive(name, contents);
  making.set(name, made);
  made.catch(() => making.delete(name));
  return made;
}

async function makeArchive(name: string, contents: readonly Content[]): Promise<Archive> {
  const path = join(cacheFolder(), "executors", `${name}.tar.gz`);
  if (existsSync(path)) return { name, path };
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.tmp`;
  try {
    // Whoever has Node has it: Windows too, since 10.
    await promisify(execFile)("tar", ["-czf", draft, ...contents.flatMap(({ from, paths }) => ["-C", from, ...paths])]);
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true });
    throw new PomonaError(
      `What executors need can't be put into ${path}: ${cause instanceof Error ? cause.message : cause}`,
      {
        remedy: "Is there room on that disk, and the program tar? POMONA_CACHE_DIR names another folder.",
        cause,
      },
    );
  }
  return { name, path };
}
