import { Column, type ColumnRef, columnReference, operand } from "../column";
import type { Expression } from "../plan";

/** A column, or the name of one. */
export type ColumnOrName = Column | string;

/** The type of a column's values, `unknown` for a name. */
export type TypeOf<C> = C extends Column<string, infer T> ? T : C extends string ? ColumnRef<C> : unknown;

/** The expression of a column or of the name of one. */
export function named(column: ColumnOrName): Expression {
  return typeof column === "string" ? columnReference(column) : operand(column);
}

/** A call of a function of the table. @param fn its name there */
export function call<T>(fn: string, ...args: readonly Expression[]): Column<string, T> {
  return new Column({ kind: "call", fn, args });
}
