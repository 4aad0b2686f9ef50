import { createRequire } from "node:module";
import { basename, extname, isAbsolute, join } from "node:path";
import type { ImportedModule, SourceFunction } from "../data/batch-function";
import { fileUrl } from "../storage/location";

/**
 * A module as a task names it: without what only the driver's own files mean. Its bundle is to be shipped.
 * @param others of the same function, before it
 */
export function moduleInTask(
  { specifier, home, names, bundle, folder }: ImportedModule,
  { code }: SourceFunction,
  others: readonly ImportedModule[],
): ImportedModule {
  const taken = (name: string) => others.some((other) => other.specifier === name);
  const isPath = isAbsolute(specifier) && !code.includes(specifier);
  const isElsewhere = home && home.root !== process.cwd() && needsItsFolder(home, bundle);
  const at = isElsewhere ? fileUrl(home.root) : folder;
  return {
    specifier: isPath ? untaken(`./${basename(specifier)}`, taken) : specifier,
    names,
    ...(at !== undefined && { folder: at }),
  };
}

/** `./stats.ts`, or `./stats-2.ts` where there is such a module already. */
function untaken(name: string, taken: (name: string) => boolean): string {
  const end = extname(name);
  let free = name;
  for (let i = 2; taken(free); i++) free = `${name.slice(0, name.length - end.length)}-${i}${end}`;
  return free;
}

/** Whether a module would find other packages, or other files beside it, from the current folder. */
function needsItsFolder({ root, packages }: NonNullable<ImportedModule["home"]>, bundle: ImportedModule["bundle"]) {
  if (typeof bundle === "string" && READS_ITS_FOLDER.test(bundle)) return true;
  return packages.some((name) => placeOf(name, root) !== placeOf(name, process.cwd()));
}

/** `require` of what is known at run time, or the name of its own file. */
const READS_ITS_FOLDER = /(?<![\w$.])(?:__dirname\b|__filename\b|require(?:\.resolve)?\((?!"))/;

/** Which file a package's name means from a folder; something else each time where that can't be told. */
function placeOf(name: string, folder: string): string | symbol {
  try {
    return createRequire(join(folder, "notebook.js")).resolve(name);
  } catch {
    return Symbol(name);
  }
}
