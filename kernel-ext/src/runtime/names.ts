import type { ImportOrigin, NotebookName } from "pomona/kernel";

/** The notebook's names and their values, of all cells. */
export interface Names {
  /** The places of the names that a cell declares and of others that it uses; it begins. */
  begin(declared: readonly string[], used: readonly string[]): Place[];
  /**
   * The cell has ended.
   * @param cell as the user knows it
   * @param how where it is not done, what it had not come to stays unset
   * @returns the names that it declares and that have the values of before
   */
  end(cell: string, how: CellEnd): string[];
  /** A name's value; undefined where it has none. */
  lookUp(name: string): { readonly value: unknown } | undefined;
  /** The names that have values. */
  values(): Record<string, unknown>;
  importOf(name: string): ImportOrigin | undefined;
  /** The name that a variable of compiled code stands for. */
  nameOf(variable: unknown): NotebookName | undefined;
}

export type CellEnd = "done" | "failed" | "interrupted";

/**
 * Holds a name's value: `__rate.now` in compiled cells. All of them have one shape for V8, which makes them as good as
 * variables in loops, so a place without a value differs in having no property of its own.
 */
class Place {
  private failedIn: string | undefined = undefined;
  /** True where a cell that ran was to give it a value. */
  isAwaited = false;
  private from: (ImportOrigin & { readonly value: () => unknown }) | undefined = undefined;
  constructor(readonly name: string) {}

  get now(): unknown {
    const { name, failedIn, isAwaited } = this;
    // A name that a cell only tells the type of.
    if (name in globalThis) return (globalThis as Record<string, unknown>)[name];
    if (failedIn !== undefined)
      throw new ReferenceError(`${name} has no value: ${failedIn} before it came to that line.`);
    if (isAwaited) throw new ReferenceError(`${name} is used before the line that declares it has run.`);
    throw new ReferenceError(`${name} has no value: \`declare\` tells its type alone.`);
  }

  set now(value: unknown) {
    this.replace(value);
  }

  get isSet(): boolean {
    return Object.hasOwn(this, "now");
  }

  takeImport(value: unknown, specifier: string, exported: string): void {
    this.replace(value);
    this.from = { specifier, exported, value: () => value };
  }

  /** Of a variable of a module, which may assign it. */
  followImport(value: () => unknown, specifier: string, exported: string): void {
    const set = (next: unknown) => this.replace(next);
    Object.defineProperty(this, "now", { get: value, set, enumerable: true, configurable: true });
    this.from = { specifier, exported, value };
  }

  get imported(): ImportOrigin | undefined {
    return this.from && this.isSet && Object.is(this.from.value(), this.now) ? this.from : undefined;
  }

  failed(cell: string, how: CellEnd): void {
    this.failedIn = `${cell}, which declares it, ${how === "interrupted" ? "was interrupted" : how}`;
  }

  private replace(value: unknown): void {
    Object.defineProperty(this, "now", { value, writable: true, enumerable: true, configurable: true });
  }
}

export type { Place };

/** So that V8 expects values of any kind, and new ones, from the first cell on, and need not compile loops again. */
for (const value of [1, 0.5, "text", {}, undefined]) {
  const place = new Place("warm");
  place.now = value;
  place.now = {};
}

export function notebookNames(): Names {
  const places = new Map<string, Place>();
  let begun: { readonly place: Place; readonly before: { readonly value: unknown } | undefined }[] = [];
  const placeOf = (name: string) => {
    const place = places.get(name) ?? new Place(name);
    places.set(name, place);
    return place;
  };
  return {
    begin(declared, used) {
      begun = declared.map((name) => {
        const place = placeOf(name);
        place.isAwaited = true;
        return { place, before: place.isSet ? { value: place.now } : undefined };
      });
      return [...begun.map(({ place }) => place), ...used.map(placeOf)];
    },
    end(cell, how) {
      const unchanged: string[] = [];
      for (const { place, before } of begun) {
        if (!place.isSet) {
          if (how === "done") place.now = undefined;
          else place.failed(cell, how);
        } else if (before && how !== "done" && Object.is(before.value, place.now)) unchanged.push(place.name);
      }
      begun = [];
      return unchanged;
    },
    lookUp(name) {
      const place = places.get(name);
      return place?.isSet ? { value: place.now } : undefined;
    },
    values() {
      const set = [...places].filter(([, place]) => place.isSet);
      return Object.fromEntries(set.map(([name, place]) => [name, place.now]));
    },
    importOf: (name) => places.get(name)?.imported,
    nameOf(variable) {
      if (!(variable instanceof Place)) return undefined;
      const { name, isSet, imported } = variable;
      return { name, value: isSet ? { now: variable.now } : undefined, imported };
    },
  };
}
