/** A value in a plan: what JSON can say, and a type where JavaScript's is not enough. */
export type LiteralValue = null | boolean | number | string;
