import { originalPosition } from "../language/source-positions";
import type { Position, SourceMaps } from "../messages";

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

const sources = new Map<string, RegisteredSource>();

/** Makes a script known by the name that V8 gives it. */
export function registerSource(scriptName: string, source: RegisteredSource): void {
  sources.set(scriptName, source);
}

/** Where in the user's text a position of a registered script is; undefined for other scripts. */
export function placeOf(scriptName: string, line: number, column: number): SourcePlace | undefined {
  const source = sources.get(scriptName);
  if (!source) return undefined;
  const position = originalPosition(source.maps, line - source.linesBefore, column);
  return position && { source, ...position };
}

/** The cells so far, the latest first. */
export function registeredCells(): RegisteredSource[] {
  return [...sources.values()].filter(({ isCell }) => isCell).reverse();
}
