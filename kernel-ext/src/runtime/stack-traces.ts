import { CELL_SCRIPT, placeOf, type SourcePlace } from "./source-registry";

/** One line of a stack trace, in the user's own positions where it is the user's code. */
export interface Frame {
  readonly text: string;
  readonly place: SourcePlace | undefined;
}

/** Deep enough to reach the cell through a library. */
const STACK_LIMIT = 40;

/**
 * Makes every `stack` of this thread show cells as `In[3]:2:5` and local modules by their sources, without the kernel's and
 * the package's own frames and without Node's at its end.
 * @param hidden folders whose frames are left out where the user's code is in the stack
 */
export function installStackTraces(hidden: readonly string[]): void {
  Error.stackTraceLimit = STACK_LIMIT;
  ownFolders = hidden;
  Error.prepareStackTrace = (error, sites) => {
    const frames = visibleFrames(sites);
    framesOf.set(error, frames);
    return [headerOf(error), ...frames.map(({ text }) => `    at ${text}`)].join("\n");
  };
}

let ownFolders: readonly string[] = [];

/** True for a line of a stack that is the package's, Node's or V8's own. */
export function isOwnFrame(line: string): boolean {
  return /\bnode:|<anonymous>\)?$/.test(line) || ownFolders.some((folder) => line.includes(folder));
}

const framesOf = new WeakMap<object, readonly Frame[]>();

/** The frames of an error's stack, the innermost first; empty for what is not an error or was made in another thread. */
export function stackFrames(error: unknown): readonly Frame[] {
  if (typeof error !== "object" || error === null) return [];
  // Reading the stack is what makes V8 prepare it.
  void (error as { stack?: unknown }).stack;
  return framesOf.get(error) ?? [];
}

function visibleFrames(sites: readonly NodeJS.CallSite[]): Frame[] {
  const frames = sites.map((site) => ({ ...frameOf(site), file: fileOf(site) }));
  const users = frames.map(({ place }) => place !== undefined);
  if (!users.includes(true)) return frames;
  const last = users.lastIndexOf(true);
  return frames.filter(({ place, file }, i) => {
    if (place) return true;
    // The function that tslab puts around a cell.
    if (file.startsWith(CELL_SCRIPT) || ownFolders.some((folder) => file.startsWith(folder))) return false;
    return i < last || !(file === "" || file.startsWith("node:"));
  });
}

/** The file, or the name that a `sourceURL` comment gives a script. */
function fileOf(site: NodeJS.CallSite): string {
  const named = (site as { getScriptNameOrSourceURL?(): string | null }).getScriptNameOrSourceURL?.();
  return (named ?? site.getFileName() ?? "").replace(/^file:\/\//, "");
}

function frameOf(site: NodeJS.CallSite): Frame {
  const text = site.toString();
  const name = fileOf(site);
  const line = site.getLineNumber();
  const column = site.getColumnNumber();
  if (name === "" || line === null || column === null) return { text, place: undefined };
  const place = placeOf(name, line, column);
  if (!place) return { text, place: undefined };
  const where = `${place.source.shown}:${place.line}:${place.column}`;
  return { text: textOf(site, where), place };
}

function textOf(site: NodeJS.CallSite, where: string): string {
  const isAsync = (site as { isAsync?(): boolean }).isAsync?.() === true;
  const name = functionNameOf(site);
  const prefix = isAsync ? "async " : "";
  return name ? `${prefix}${name} (${where})` : `${prefix}${where}`;
}

function functionNameOf(site: NodeJS.CallSite): string {
  const name = site.getFunctionName() ?? "";
  // Names of compiled code: `exports.tsLastExpr` is the last expression's, which has none.
  const plain = asWritten(name)
    .replace(/^(?:exports\.)?tsLastExpr\d*$/, "")
    .replace(/^exports\./, "");
  const type = site.getTypeName();
  if (site.isConstructor()) return `new ${plain}`;
  return type && plain && !site.isToplevel() && type !== "Object" && !plain.includes(".") ? `${type}.${plain}` : plain;
}

/** A message of V8's, or a name, with the notebook's names as they are written: `(0 , __mean.now) is not a function`. */
export function asWritten(text: string): string {
  return text.replace(/\(0 ?, ?__([\p{ID_Continue}$]+)\.now\)|\b__([\p{ID_Continue}$]+)\.now\b/gu, "$1$2");
}

function headerOf(error: Error): string {
  try {
    return asWritten(Error.prototype.toString.call(error));
  } catch {
    return "Error";
  }
}
