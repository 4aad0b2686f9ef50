import type { DataType } from "../../data/types";
import {
  AmbiguousColumnError,
  AnalysisError,
  ForeignColumnError,
  UnresolvedColumnError,
} from "../../frame/analysis-error";
import type { Expression } from "../../frame/plan";
import { nameParts, sameName } from "../../frame/resolve";
import { columnsOf, type Relation, reference } from "../relation";

/** A column while a plan is analyzed: what it is, and what names may mean it. */
export interface Attribute {
  /** Where its values are: a column of the relation. Two attributes of one frame may share it. */
  readonly id: string;
  /** Its identity, as Spark's `exprId`: kept by what passes a column on, new where it is computed or renamed. */
  readonly key: number;
  readonly name: string;
  /** The alias of the frame it belongs to. */
  readonly qualifier?: string;
  /** Absent where only the engine knows it. */
  readonly type?: DataType;
}

/** The columns of a frame at some place of a plan. */
export type Frame = readonly Attribute[];

/** An analyzed plan. */
export interface Resolved {
  readonly relation: Relation;
  /** Its columns. Names may come twice. */
  readonly output: Frame;
  /** Columns that names reach though they are not in the output: the right side's of a join on names. */
  readonly hidden: Frame;
  /** The columns of each frame that the plan is made of, by plan id; a frame may be in it more than once. */
  readonly frames: ReadonlyMap<number, readonly Frame[]>;
  /** What a filter or a sort may still reach below: the input, and the same plan with one more column passed through. */
  readonly below?: { readonly input: Resolved; readonly passing: (input: Resolved, column: Attribute) => Resolved };
}

type ColumnReference = Extract<Expression, { kind: "column" }>;

/** What a name means: a column, and the fields inside it. */
export interface Found {
  readonly attribute: Attribute;
  /** The column's name as it was written. */
  readonly written: string;
  readonly fields: readonly string[];
}

/** What a reference means. @throws UnresolvedColumnError, AmbiguousColumnError, ForeignColumnError */
export function find(reference: ColumnReference, at: Resolved): Found {
  const found = lookUp(reference, at);
  if (found) return found;
  const names = at.output.map((a) => a.name);
  if (reference.planId !== undefined) throw new ForeignColumnError(reference.name, names);
  throw new UnresolvedColumnError(reference.name, names, { parts: nameParts(reference.name) });
}

/** Like {@link find}; undefined where there is no such column here. */
export function lookUp({ name, planId }: ColumnReference, at: Resolved): Found | undefined {
  if (planId !== undefined) return ofFrame(name, planId, at);
  return named(name, at.output) ?? named(name, at.hidden);
}

/** Spark's rule: an alias of a frame before a column's own name, and what is left are fields. */
function named(name: string, columns: Frame): Found | undefined {
  const [first = "", ...rest] = nameParts(name);
  const [second, ...fields] = rest;
  if (second !== undefined) {
    const qualified = distinct(
      columns.filter((a) => a.qualifier !== undefined && sameName(a.qualifier, first) && sameName(a.name, second)),
    );
    if (qualified.length > 0) return one(name, qualified, second, fields);
  }
  const plain = distinct(columns.filter((a) => sameName(a.name, first)));
  return plain.length > 0 ? one(name, plain, first, rest) : undefined;
}

function one(name: string, matches: Frame, written: string, fields: readonly string[]): Found {
  const [attribute] = matches;
  if (matches.length === 1 && attribute) return { attribute, written, fields };
  const parts = (a: Attribute) => (a.qualifier === undefined ? [written] : [a.qualifier, written]);
  throw new AmbiguousColumnError(name, matches.map(parts));
}

/** A frame's own column, wherever in the plan the frame is. */
function ofFrame(name: string, planId: number, at: Resolved): Found | undefined {
  const frames = at.frames.get(planId) ?? [];
  const [frame] = frames;
  if (!frame) return undefined;
  if (!named(name, frame)) {
    throw new UnresolvedColumnError(
      name,
      frame.map((a) => a.name),
      { parts: nameParts(name) },
    );
  }
  const there = frames.flatMap((each) => named(name, each) ?? []);
  const present = [...at.output, ...at.hidden];
  const found = there.flatMap((meant) => {
    const attribute = present.find((a) => a.key === meant.attribute.key);
    return attribute ? [{ ...meant, attribute }] : [];
  });
  const keys = new Set(found.map((f) => f.attribute.key));
  if (keys.size > 1) throw ambiguousFrame(name);
  return found[0];
}

function ambiguousFrame(name: string): AnalysisError {
  return new AnalysisError(
    `[AMBIGUOUS_COLUMN_REFERENCE] Column \`${name}\` is ambiguous. It's because you joined several DataFrame together, and some of these DataFrames are the same.`,
    {
      remedy: `Alias the frames with different names before joining them, and say which one is meant: df.alias("a").join(df.alias("b"), col("a.${name}").gt(col("b.${name}"))).`,
    },
  );
}

/** A column that comes twice is no ambiguity. */
function distinct(columns: Frame): Frame {
  return columns.filter((a, i) => columns.findIndex((b) => b.key === a.key) === i);
}

/** A relation of the output's columns and no others. */
export function outputOnly({ relation, output }: Pick<Resolved, "relation" | "output">): Relation {
  const ids = [...new Set(output.map((a) => a.id))];
  const all = columnsOf(relation);
  if (ids.length === all.length && ids.every((id, i) => id === all[i])) return relation;
  return { op: "project", input: relation, columns: ids.map((id) => ({ id, value: reference(id) })) };
}

/** Makes ids and keys that no other column of the query has. */
export class Identities {
  private readonly taken = new Set<string>();
  private next = 0;

  /** A new column of this name. */
  attribute(name: string, more: { readonly type?: DataType | undefined; readonly id?: string } = {}): Attribute {
    const { type, id = this.id(name) } = more;
    return { id, key: this.next++, name, ...(type === undefined ? {} : { type }) };
  }

  /** The name itself where it is free: DuckDB does not tell `a` from `A`, and not every reader of files takes every character. */
  id(name: string): string {
    const plain = name.replace(/[^\p{L}\p{N}_]/gu, "_") || "_";
    let id = plain;
    for (let n = 2; this.taken.has(id.toLowerCase()); n++) id = `${plain}#${n}`;
    this.taken.add(id.toLowerCase());
    return id;
  }

  /** The same column with an identity of its own. */
  renewed(attribute: Attribute, changes: Partial<Pick<Attribute, "name">> = {}): Attribute {
    const { qualifier: _, ...rest } = attribute;
    return { ...rest, ...changes, key: this.next++ };
  }
}
