import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PomonaError } from "../errors";

/** The name that notebooks of this project ask for. */
export const KERNEL_NAME = "pomona";

/** What front ends show. */
export const KERNEL_DISPLAY_NAME = "TypeScript (Pomona)";

/** A kernel's name that Jupyter does not take. */
export class KernelNameError extends PomonaError {}

/** A kernel of that name is there, and it is another project's. */
export class ForeignKernelError extends PomonaError {}

/** No kernel of that name is there. */
export class KernelNotFoundError extends PomonaError {}

/** A `kernel.json`. @see https://jupyter-client.readthedocs.io/en/stable/kernels.html#kernel-specs */
export interface Kernelspec {
  readonly argv: readonly string[];
  readonly display_name: string;
  readonly language: string;
  readonly interrupt_mode: "message";
  readonly metadata: { readonly debugger: false };
}

export interface InstallOptions {
  /** Jupyter's data folder, such as `.venv/share/jupyter`. */
  readonly dataDir: string;
  /** @default pomona */
  readonly name?: string;
  /** @default TypeScript (Pomona) */
  readonly displayName?: string;
  /** The Node that runs the kernel. @default the one that runs this */
  readonly node?: string;
}

/** One kernel of ours that Jupyter finds. */
export interface InstalledKernel {
  readonly name: string;
  readonly displayName: string;
  readonly folder: string;
  readonly node: string;
  readonly main: string;
  /** What keeps it from starting; empty where nothing does. */
  readonly problems: readonly string[];
}

const MAIN = join(__dirname, "..", "..", "kernel-ext", "dist", "main.js");
const LOGOS = join(__dirname, "..", "..", "kernel-ext", "kernelspec");
const LOGO_FILES = ["logo-32x32.png", "logo-64x64.png", "logo-svg.svg"] as const;

/** What `kernel.json` says: absolute paths throughout, because a front end may not have the shell's PATH. */
export function kernelspec(options: Pick<InstallOptions, "displayName" | "node"> = {}): Kernelspec {
  return {
    // Node warns of `require` of an ESM package, which is how cells import them.
    argv: [options.node ?? process.execPath, "--disable-warning=ExperimentalWarning", MAIN, "{connection_file}"],
    display_name: options.displayName ?? KERNEL_DISPLAY_NAME,
    language: "typescript",
    interrupt_mode: "message",
    metadata: { debugger: false },
  };
}

/** Where a kernel of that name lies below a data folder. @throws KernelNameError */
export function kernelFolder(dataDir: string, name: string = KERNEL_NAME): string {
  if (!/^[a-z0-9._-]+$/i.test(name) || /^\.+$/.test(name)) {
    throw new KernelNameError(`${JSON.stringify(name)} cannot name a kernel.`, {
      remedy: "Use letters, digits, dots, hyphens and underscores.",
    });
  }
  // Jupyter looks kernels up in lower case.
  return join(dataDir, "kernels", name.toLowerCase());
}

/**
 * Puts the kernel's specification and its logos into a data folder, whole or not at all.
 * @returns its folder, and whether anything changed
 * @throws KernelNameError, ForeignKernelError
 */
export async function installKernelspec(options: InstallOptions): Promise<{ folder: string; changed: boolean }> {
  // Two that install at once take the folder away from under each other, for a moment.
  for (let tries = 1; ; tries++) {
    try {
      return await installOnce(options);
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      const perhapsMoving = ["ENOTEMPTY", "EEXIST", "ENOENT"].includes(code) || error instanceof ForeignKernelError;
      if (!perhapsMoving || tries === (error instanceof ForeignKernelError ? 3 : 20)) throw error;
      await sleep(10 + Math.random() * 40);
    }
  }
}

async function installOnce(options: InstallOptions): Promise<{ folder: string; changed: boolean }> {
  const folder = kernelFolder(options.dataDir, options.name);
  if (existsSync(folder) && !isOurs(await readSpec(folder))) {
    throw new ForeignKernelError(`${folder} holds a kernel that is not Pomona's.`, {
      remedy: "Choose another name with --name, or remove that kernel first.",
    });
  }
  const text = `${JSON.stringify(kernelspec(options), null, 2)}\n`;
  if (await holds(folder, text)) return { folder, changed: false };
  const kernels = join(options.dataDir, "kernels");
  await mkdir(kernels, { recursive: true });
  const aside = await mkdtemp(join(kernels, `.${basename(folder)}-`));
  try {
    const fresh = join(aside, "new");
    await mkdir(fresh);
    for (const file of LOGO_FILES) await copyFile(join(LOGOS, file), join(fresh, file));
    await writeFile(join(fresh, "kernel.json"), text);
    const old = join(aside, "old");
    const replaces = existsSync(folder);
    if (replaces) await rename(folder, old);
    try {
      await rename(fresh, folder);
    } catch (error) {
      // Not over what another has put there meanwhile.
      if (replaces && !existsSync(folder)) await rename(old, folder);
      throw error;
    }
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  return { folder, changed: true };
}

/** Removes a kernel of ours. @returns its folder @throws KernelNotFoundError, ForeignKernelError */
export async function uninstallKernelspec(dataDir: string, name: string = KERNEL_NAME): Promise<string> {
  const folder = kernelFolder(dataDir, name);
  if (!existsSync(folder)) {
    throw new KernelNotFoundError(`There is no kernel ${name} in ${join(dataDir, "kernels")}.`, {
      remedy: "pomona kernel list shows which there are.",
    });
  }
  if (!isOurs(await readSpec(folder))) {
    throw new ForeignKernelError(`${folder} holds a kernel that is not Pomona's; it was left alone.`);
  }
  await rm(folder, { recursive: true });
  return folder;
}

/** The kernels of ours below these data folders. One that an earlier folder holds under the same name comes first. */
export async function listKernelspecs(dataDirs: readonly string[]): Promise<InstalledKernel[]> {
  const found: InstalledKernel[] = [];
  for (const dataDir of dataDirs) {
    const kernels = join(dataDir, "kernels");
    const names = existsSync(kernels) ? (await readdir(kernels)).sort() : [];
    for (const name of names.filter((n) => !n.startsWith("."))) {
      const folder = join(kernels, name);
      const spec = await readSpec(folder);
      if (spec && isOurs(spec)) found.push(describe(name, folder, spec));
    }
  }
  return found;
}

/** The part of a `kernel.json` that is read; anything may be missing, since anyone may have written it. */
interface FoundSpec {
  readonly argv?: readonly string[];
  readonly display_name?: string;
  readonly env?: Readonly<Record<string, string>>;
}

async function readSpec(folder: string): Promise<FoundSpec | undefined> {
  try {
    const parsed: unknown = JSON.parse(await readFile(join(folder, "kernel.json"), "utf8"));
    return typeof parsed === "object" && parsed !== null ? (parsed as FoundSpec) : undefined;
  } catch {
    return undefined;
  }
}

/** Ours runs this package's kernel, or, in a checkout from before it, tslab's with this mark. */
function isOurs(spec: FoundSpec | undefined): boolean {
  return mainOf(spec) !== undefined || spec?.env?.POMONA_KERNEL === "tslab";
}

function mainOf(spec: FoundSpec | undefined): string | undefined {
  if (!Array.isArray(spec?.argv)) return undefined;
  return spec.argv.find((part) => typeof part === "string" && /[/\\]kernel-ext[/\\]dist[/\\]main\.js$/.test(part));
}

async function holds(folder: string, text: string): Promise<boolean> {
  const same = async (file: string, content: Buffer) => {
    const path = join(folder, file);
    return existsSync(path) && (await readFile(path)).equals(content);
  };
  if (!(await same("kernel.json", Buffer.from(text)))) return false;
  for (const file of LOGO_FILES) if (!(await same(file, await readFile(join(LOGOS, file))))) return false;
  return true;
}

function describe(name: string, folder: string, spec: FoundSpec): InstalledKernel {
  const node = spec.argv?.[0] ?? "";
  const main = mainOf(spec) ?? "";
  const problems = [
    ...(main === "" ? ["it is from before this version: install it again"] : []),
    ...(existsSync(node) ? [] : [`there is no Node at ${node}`]),
    ...(main === "" || existsSync(main) ? [] : [`there is no ${main}`]),
  ];
  return { name, displayName: spec.display_name ?? name, folder, node, main, problems };
}
