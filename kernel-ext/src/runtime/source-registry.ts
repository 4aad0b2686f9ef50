import { deflateRawSync, inflateRawSync } from "node:zlib";
import { originalPosition } from "../language/source-positions";
import type { Position, SourceMaps } from "../messages";
import { oldestBeyond } from "../oldest";

/** A compiled text that stack traces name, and the user's text behind it. */
export interface RegisteredSource {
  /** As stack traces show it: `In[3]`, `lib/stats.ts`. */
  readonly shown: string;
  readonly maps: SourceMaps;
  /** Lines that stand before the compiled text in what V8 compiled. */
  readonly linesBefore: number;
  /** The user's text. */
  readonly source: string;
  /** The compiled text. */
  readonly compiled: string;
  /** True for a cell. */
  readonly isCell: boolean;
}

/** A place in the user's text. */
export interface SourcePlace extends Position {
  readonly source: RegisteredSource;
}

/** How the names of cells' scripts begin. */
export const CELL_SCRIPT = "pomona-cell:";

/** Those that were used last lie open; a notebook's earlier ones, which a stack trace may name yet, take a quarter of the room. */
const MOST_OPEN = 200;

const open = new Map<string, RegisteredSource>();
const packed = new Map<string, Uint8Array>();

/** Makes a script known by the name that V8 gives it. */
export function registerSource(scriptName: string, source: RegisteredSource): void {
  packed.delete(scriptName);
  open.delete(scriptName);
  open.set(scriptName, source);
  const oldest = oldestBeyond(open, MOST_OPEN);
  if (!oldest) return;
  open.delete(oldest[0]);
  // A copy: what zlib gives holds a whole chunk of its own.
  packed.set(oldest[0], new Uint8Array(deflateRawSync(JSON.stringify(oldest[1]))));
}

/** Where in the user's text a position of a registered script is; undefined for other scripts. */
export function placeOf(scriptName: string, line: number, column: number): SourcePlace | undefined {
  const source = open.get(scriptName) ?? reopened(scriptName);
  if (!source) return undefined;
  const position = originalPosition(source.maps, line - source.linesBefore, column);
  return position && { source, ...position };
}

/** The cells so far, the latest used first. */
export function* registeredCells(): Iterable<RegisteredSource> {
  for (const source of [...open.values()].reverse()) if (source.isCell) yield source;
  for (const bytes of [...packed.values()].reverse()) {
    const source = unpacked(bytes);
    if (source.isCell) yield source;
  }
}

function reopened(scriptName: string): RegisteredSource | undefined {
  const bytes = packed.get(scriptName);
  if (!bytes) return undefined;
  const source = unpacked(bytes);
  registerSource(scriptName, source);
  return source;
}

function unpacked(bytes: Uint8Array): RegisteredSource {
  return JSON.parse(inflateRawSync(bytes).toString()) as RegisteredSource;
}
