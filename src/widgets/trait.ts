import { inspect } from "node:util";
import { WidgetValueError } from "./errors";

/** One property of a widget: what it starts as, what it may be, and how the widget protocol writes it. */
export interface Trait<T> {
  initial(): T;
  /** @param where such as `IntSlider.value` @throws WidgetValueError */
  parse(value: unknown, where: string): T;
  /** The value as JSON, with widgets as references. @default as it is */
  toWire?(value: T): unknown;
  /** The opposite, before `parse`. @default as it is */
  fromWire?(value: unknown): unknown;
  /** Its name in the protocol. @default its name in snake_case */
  readonly wire?: string;
  /** Known to the kernel alone. @default false */
  readonly local?: boolean;
}

/** The traits of a widget by property name. */
export type Traits<S extends object> = { readonly [K in keyof S]-?: Trait<S[K]> };

export const text = (initial = ""): Trait<string> => ({
  initial: () => initial,
  parse: (value, where) => (typeof value === "string" ? value : refuse(where, "a string", value)),
});

export const textOrNull = (): Trait<string | null> => ({
  initial: () => null,
  parse: (value, where) => (value === null || typeof value === "string" ? value : refuse(where, "a string", value)),
});

export const flag = (initial: boolean): Trait<boolean> => ({
  initial: () => initial,
  parse: (value, where) => (typeof value === "boolean" ? value : refuse(where, "true or false", value)),
});

export const flagOrNull = (): Trait<boolean | null> => ({
  initial: () => null,
  parse: (value, where) => (value === null || typeof value === "boolean" ? value : refuse(where, "a boolean", value)),
});

export const decimal = (initial: number): Trait<number> => ({
  initial: () => initial,
  parse: (value, where) => finite(value, where),
});

/** A whole number; like ipywidgets, it drops a fraction. */
export const integer = (initial: number): Trait<number> => ({
  initial: () => initial,
  parse: (value, where) => Math.trunc(finite(value, where)),
});

export const indexOrNull = (): Trait<number | null> => ({
  initial: () => null,
  parse: (value, where) =>
    value === null || (Number.isSafeInteger(value) && (value as number) >= 0)
      ? (value as number | null)
      : refuse(where, "a whole number from 0, or null", value),
});

export const oneOf = <const T extends string>(values: readonly T[], initial: T): Trait<T> => ({
  initial: () => initial,
  parse: (value, where) => {
    const lower = typeof value === "string" ? value.toLowerCase() : undefined;
    return values.find((each) => each === lower) ?? refuse(where, `one of ${values.map(quote).join(", ")}`, value);
  },
});

export const texts = (): Trait<readonly string[]> => ({
  initial: () => [],
  parse: (value, where) =>
    Array.isArray(value) && value.every((each) => typeof each === "string")
      ? [...value]
      : refuse(where, "an array of strings", value),
});

/** A trait that the front end does not see. */
export const local = <T>(trait: Trait<T>): Trait<T> => ({ ...trait, local: true });

/** The protocol's name of a property: `barStyle` is `bar_style`. */
export function wireName(name: string, trait: { readonly wire?: string }): string {
  return trait.wire ?? name.replace(/[A-Z]/g, (upper) => `_${upper.toLowerCase()}`);
}

export function refuse(where: string, wanted: string, value: unknown): never {
  throw new WidgetValueError(`${where} must be ${wanted}, not ${inspect(value, { depth: 0, breakLength: Infinity })}.`);
}

function finite(value: unknown, where: string): number {
  return typeof value === "number" && Number.isFinite(value) ? value : refuse(where, "a number", value);
}

function quote(value: string): string {
  return JSON.stringify(value);
}
