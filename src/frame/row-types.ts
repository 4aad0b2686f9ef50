import type { Column, ColumnRef } from "./column";

/** A row with further columns that the compiler does not know: every name is taken, and its value may be used as anything. */
// biome-ignore lint/suspicious/noExplicitAny: rows of files are used without a cast, as in danfo and Arquero
export type OpenRow = Record<string, any>;

/** A row of which the compiler knows nothing. A variable of such a DataFrame takes every other one. */
// biome-ignore lint/suspicious/noExplicitAny: as for OpenRow
export type AnyRow = any;

/** A value of which the compiler knows nothing. */
// biome-ignore lint/suspicious/noExplicitAny: as for OpenRow
type AnyValue = any;

/** Makes an intersection read as one object in completions and messages. */
export type Flat<R> = { [K in keyof R]: R[K] } & {};

/** The names of `R`'s columns; any text where the row is open. */
export type ColumnName<R> = string extends keyof R
  ? string
  : (keyof R & string) | "*" | `${keyof R & string}.${string}`;

/** The names of `R`'s columns, without `*` and fields; any text where the row is open. */
export type OwnColumnName<R> = string extends keyof R ? string : keyof R & string;

/** The type of a column's values in a row: what its name says where it is known by name alone. */
export type Resolved<R, T> = unknown extends T
  ? AnyValue
  : T extends ColumnRef<infer K>
    ? ValueOf<R, K>
    : T extends readonly (infer E)[]
      ? unknown extends E
        ? AnyValue[]
        : T
      : T;

type ValueOf<R, K extends string> = K extends keyof R
  ? R[K]
  : K extends `${infer Head}.${infer Rest}`
    ? Head extends keyof R
      ? ValueOf<NonNullable<R[Head]>, Rest>
      : AnyValue
    : AnyValue;

/** The row that `select` gives for a list of names and columns. */
export type Selected<R, C> = Flat<
  ("*" extends C ? R : unknown) & {
    [K in KnownNames<C>]: OutputType<R, C, K>;
  } & (HasOpenName<C> extends true ? OpenRow : unknown)
>;

/** The row with one more column, or with that column replaced. */
export type With<R, N extends string, T> = string extends N ? OpenRow : Flat<Omit<R, N> & { [K in N]: Resolved<R, T> }>;

/** The row with several columns added or replaced. */
export type WithAll<R, C> = Flat<
  Omit<R, keyof C & string> & { [K in keyof C]: C[K] extends Column<string, infer T> ? Resolved<R, T> : AnyValue }
>;

/** The row without some columns. */
export type Without<R, N extends string> = string extends N ? R : Flat<Omit<R, N>>;

/** The row with a column renamed. */
export type Renamed<R, From extends string, To extends string> = string extends From | To
  ? OpenRow
  : Flat<{ [K in keyof R as K extends From ? To : K]: R[K] }>;

/** The row with several columns renamed. */
export type RenamedAll<R, M> = Flat<{ [K in keyof R as K extends keyof M ? M[K] & string : K]: R[K] }>;

/** The row of a join: the left one's columns, then those the right one adds. */
export type Joined<L, R> = Flat<L & Omit<R, keyof L & string>>;

/** Name by name, because a union with `string` in it forgets its other members. */
type KnownNames<C> = C extends string
  ? LiteralName<LastPart<Exclude<C, "*" | `${string}.*`>>>
  : C extends Column<infer N, infer T>
    ? LiteralName<ResultName<N, T>>
    : never;

/** A field goes by its last part: `p` for `st.p`. */
type LastPart<N extends string> = N extends `${string}.${infer Rest}` ? LastPart<Rest> : N;

/** A column's name in a result: that of a field where it is one, and else what it says. */
type ResultName<N extends string, T> = T extends ColumnRef<string> ? LastPart<N> : N;

type LiteralName<N extends string> = string extends N ? never : N;

type OutputType<R, C, K> = C extends string
  ? LastPart<C> extends K
    ? ValueOf<R, C>
    : never
  : C extends Column<infer N, infer T>
    ? string extends N
      ? never
      : ResultName<N, T> extends K
        ? Resolved<R, T>
        : never
    : never;

type HasOpenName<C> = true extends (
  C extends string
    ? string extends C
      ? true
      : C extends `${string}.*`
        ? true
        : false
    : C extends Column<infer N, unknown>
      ? string extends N
        ? true
        : false
      : false
)
  ? true
  : false;
