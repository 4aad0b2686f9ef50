import { type DataType, simpleString } from "../data/types";
import { AnalysisError } from "./analysis-error";
import { commonTypeOf, implicitCast, type Wanted } from "./coercion";
import type { LiteralValue } from "./literal";

/** What an expression is worth, in an engine's SQL: its text, and what Spark says its type is. */
export interface Value {
  readonly sql: string;
  readonly type: DataType;
  readonly nullable: boolean;
  /** A literal's value; absent where the value is not a constant. */
  readonly constant?: LiteralValue;
}

/** An argument of a function. Its text is its SQL, so that it stands in templates as it is. */
export class Argument implements Value {
  readonly sql: string;
  readonly type: DataType;
  readonly nullable: boolean;
  readonly constant?: LiteralValue;

  constructor(value: Value) {
    this.sql = value.sql;
    this.type = value.type;
    this.nullable = value.nullable;
    if (value.constant !== undefined) this.constant = value.constant;
  }

  toString(): string {
    return this.sql;
  }
}

/** What a call's arguments become and what it gives. */
export interface Signature {
  /** One for each argument: the type it is cast to. */
  readonly args: readonly DataType[];
  readonly returns: DataType;
  /** Whether the result may be null. @default where an argument may be */
  readonly nullable?: boolean;
}

/** A function of columns; operators are functions too. One of these is all there is to know of it. */
export interface FunctionEntry {
  /** Spark's SQL name, by which plans call it. */
  readonly name: string;
  /** True for what makes one value of a group's rows. */
  readonly aggregate: boolean;
  /** The types of its arguments and of its result. @throws AnalysisError where Spark refuses them */
  readonly signature: (args: readonly Argument[]) => Signature;
  /** As Spark writes a call in column names. */
  readonly text: (...args: readonly string[]) => string;
  /** DuckDB's SQL with Spark's meaning; the arguments are cast as the signature says. @throws AnalysisError */
  readonly duckdb: (...args: readonly Argument[]) => string;
}

const TABLE = new Map<string, FunctionEntry>();

/**
 * Adds a function to the table.
 * @param name Spark's SQL name
 * @param signature see {@link takes}
 * @param duckdb its SQL
 * @param more what is not as usual
 */
export function define(
  name: string,
  signature: FunctionEntry["signature"],
  duckdb: FunctionEntry["duckdb"],
  more: { readonly aggregate?: boolean; readonly text?: FunctionEntry["text"] } = {},
): string {
  const text = more.text ?? ((...args: readonly string[]) => `${name}(${args.join(", ")})`);
  TABLE.set(name, { name, aggregate: more.aggregate ?? false, signature, text, duckdb });
  return name;
}

const MACROS: string[] = [];

/**
 * Adds SQL that DuckDB keeps under a name, for what is too long to stand in every query.
 * @see https://duckdb.org/docs/stable/sql/statements/create_macro.html
 */
export function defineMacro(name: string, parameters: string, sql: string): void {
  MACROS.push(`CREATE OR REPLACE MACRO ${name}(${parameters}) AS ${sql}`);
}

/**
 * What a lambda in SQL calls its element, and that one's index. A column of that name would be taken for it where its expression stands
 * inside, and within an aggregate even beside it: none is called so.
 */
export const ELEMENT = '"lambda element"';
export const INDEX = '"lambda index"';

/** The statements that give a new database what the functions of the table build on, in order. */
export function duckdbMacros(): readonly string[] {
  return MACROS;
}

/** The function of this name. @throws AnalysisError where there is none */
export function functionNamed(name: string): FunctionEntry {
  const entry = TABLE.get(name);
  if (entry) return entry;
  throw new AnalysisError(`[UNRESOLVED_ROUTINE] There is no function ${name}.`);
}

/** Every function there is. */
export function functionNames(): string[] {
  return [...TABLE.keys()];
}

/**
 * The usual signature: which types the arguments have to be, others being cast as Spark does.
 * @param wanted one for each argument; the last one stands for all further ones where `rest` is set
 * @param returns the result's type, or how it follows from the arguments' types
 */
export function takes(
  wanted: readonly Wanted[],
  returns: DataType | ((...types: readonly DataType[]) => DataType),
  more: { readonly rest?: boolean; readonly optional?: number; readonly nullable?: boolean } = {},
): FunctionEntry["signature"] {
  return (args) => {
    const least = wanted.length - (more.optional ?? (more.rest ? 1 : 0));
    if (args.length < least || (!more.rest && args.length > wanted.length)) {
      throw new AnalysisError(`[WRONG_NUM_ARGS] ${args.length} arguments where ${wanted.length} are wanted.`);
    }
    const types = args.map((arg, i) => {
      const want = wanted[Math.min(i, wanted.length - 1)] ?? "any";
      return implicitCast(arg.type, want) ?? mismatch(arg, i, want);
    });
    const result = typeof returns === "function" ? returns(...types) : returns;
    return { args: types, returns: result, ...(more.nullable === undefined ? {} : { nullable: more.nullable }) };
  };
}

/** The signature of functions whose arguments become one type. @param returns the result's type. Default: that type. */
export function takesAlike(
  returns?: DataType,
  nullable?: (args: readonly Argument[]) => boolean,
): FunctionEntry["signature"] {
  return (args) => {
    const type = commonTypeOf(args.map((a) => a.type));
    if (type === undefined) throw differentTypes(args);
    return {
      args: args.map(() => type),
      returns: returns ?? type,
      ...(nullable ? { nullable: nullable(args.map((a) => (a.type === type ? a : asCast(a, type)))) } : {}),
    };
  };
}

/** Spark takes it that text, once cast, may be null. */
export function asCast(arg: Argument, type: DataType): Argument {
  return arg.type === "string" && type !== "string" ? new Argument({ ...arg, nullable: true }) : arg;
}

/** Spark's refusal of arguments that have no type in common. */
export function differentTypes(args: readonly Value[], name = "DATA_DIFF_TYPES"): AnalysisError {
  const types = args.map((a) => simpleString(a.type)).join(" and ");
  return new AnalysisError(`[DATATYPE_MISMATCH.${name}] ${types} have no type in common.`, {
    remedy: "Cast one of them.",
  });
}

function mismatch(arg: Value, index: number, wanted: Wanted): never {
  throw new AnalysisError(
    `[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Argument ${index + 1} is ${simpleString(arg.type)} where ${wantedText(wanted)} is wanted.`,
    { remedy: "Cast it." },
  );
}

function wantedText(wanted: Wanted): string {
  if (Array.isArray(wanted)) return (wanted as readonly Wanted[]).map(wantedText).join(" or ");
  return wanted === "number" ||
    wanted === "whole" ||
    wanted === "any" ||
    wanted === "array" ||
    wanted === "map" ||
    wanted === "time"
    ? wanted
    : simpleString(wanted as DataType);
}

/** The value of an argument that has to be a constant. @throws AnalysisError */
export function constantOf(arg: Argument | undefined, what: string): LiteralValue {
  if (arg?.constant !== undefined) return arg.constant;
  throw new AnalysisError(`[DATATYPE_MISMATCH.NON_FOLDABLE_INPUT] The ${what} has to be a constant.`);
}
