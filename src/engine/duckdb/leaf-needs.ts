import { childrenOf } from "../../frame/expressions";
import type { Expression } from "../../frame/plan";
import { sameName } from "../../frame/resolve";
import { type Computed, columnsOf, type LeafPlan, type Relation, relationInputs } from "../relation";
import { conditionsIn, type RowCondition } from "./row-conditions";

/** Which rows one use of a leaf is about. */
export interface RowsNeeded {
  /** So many of the first ones are enough. */
  readonly first: number;
  /** Rows that fail one of these are of no use. Columns are positions in the leaf, as text. */
  readonly conditions: readonly RowCondition[];
}

const ALL: RowsNeeded = { first: Number.POSITIVE_INFINITY, conditions: [] };

/** Calls `use` for each use of a leaf in a relation, with the rows that are needed there. */
export function visitLeaves(relation: Relation, use: (leaf: LeafPlan, rows: RowsNeeded) => void): void {
  visit(relation, ALL, use);
}

/** @param above what is needed of this node's rows, in terms of its columns */
function visit(node: Relation, above: RowsNeeded, use: (leaf: LeafPlan, rows: RowsNeeded) => void): void {
  const go = (input: Relation, rows: RowsNeeded) => visit(input, rows, use);
  const { first, conditions } = above;
  switch (node.op) {
    case "leaf":
      use(node.leaf, { first, conditions: conditions.flatMap((c) => atPosition(c, node.columns)) });
      break;
    case "project":
    case "extend":
      if (node.columns.some(({ value }) => looksAtOtherRows(value))) go(node.input, ALL);
      else go(node.input, { first, conditions: below(conditions, node) });
      break;
    case "filter":
      if (looksAtOtherRows(node.condition)) go(node.input, ALL);
      else go(node.input, { ...ALL, conditions: [...conditions, ...conditionsIn(node.condition)] });
      break;
    case "sort":
      go(node.input, { ...ALL, conditions: node.orders.some((o) => looksAtOtherRows(o.child)) ? [] : conditions });
      break;
    case "repartition":
      go(node.input, above);
      break;
    // A condition above would let other rows pass.
    case "limit":
      go(node.input, { first: Math.min(first, node.n), conditions: [] });
      break;
    case "offset":
      go(node.input, { first: first + node.n, conditions: [] });
      break;
    case "join": {
      const isOf = (side: Relation) => conditions.filter(({ column }) => columnsOf(side).includes(column));
      const keepsLeft = ["inner", "cross", "left", "semi", "anti"].includes(node.how);
      const keepsRight = ["inner", "cross", "right"].includes(node.how);
      go(node.left, { ...ALL, conditions: keepsLeft ? isOf(node.left) : [] });
      go(node.right, { ...ALL, conditions: keepsRight ? isOf(node.right) : [] });
      break;
    }
    case "set": {
      const isUnion = node.kind === "union" && node.all;
      const right = columnsOf(node.right);
      const left = columnsOf(node.left);
      const moved = conditions.map((c) => ({ ...c, column: right[left.indexOf(c.column)] ?? "" }));
      go(node.left, isUnion ? above : ALL);
      go(node.right, isUnion ? { first, conditions: moved } : ALL);
      break;
    }
    case "sql": {
      const plain = plainSelect(node.query, first);
      for (const [name, view] of Object.entries(node.views))
        go(view, plain && sameName(plain.view, name) ? { first: plain.first, conditions: [] } : ALL);
      break;
    }
    default:
      for (const input of relationInputs(node)) go(input, ALL);
  }
}

/** A query that only selects columns of one view, maybe with a limit: so many of its first rows are enough. */
function plainSelect(query: string, wanted: number): { readonly view: string; readonly first: number } | undefined {
  const [, view, limit, offset] = PLAIN_SELECT.exec(query) ?? [];
  if (view === undefined) return undefined;
  return { view, first: Math.min(wanted, Number(limit ?? wanted)) + Number(offset ?? 0) };
}

const PLAIN_SELECT =
  /^\s*select\s+(?:\*|(?!distinct\b|all\b)\w+(?:\s+as\s+\w+)?(?:\s*,\s*\w+(?:\s+as\s+\w+)?)*)\s+from\s+(\w+)(?:\s+limit\s+(\d{1,9})(?:\s+offset\s+(\d{1,9}))?)?\s*;?\s*$/i;

function atPosition(condition: RowCondition, columns: readonly string[]): RowCondition[] {
  const position = columns.indexOf(condition.column);
  return position < 0 ? [] : [{ ...condition, column: String(position) }];
}

/** Those conditions that are about columns of the input, by their names there. */
function below(
  conditions: readonly RowCondition[],
  node: Extract<Relation, { op: "project" | "extend" }>,
): RowCondition[] {
  const made = new Map(node.columns.map((column: Computed) => [column.id, column.value]));
  return conditions.flatMap((condition) => {
    const value = made.get(condition.column);
    if (!value) return node.op === "extend" ? [condition] : [];
    const plain = value.kind === "alias" ? value.child : value;
    return plain.kind === "column" ? [{ ...condition, column: plain.name }] : [];
  });
}

/** Whether a row's value depends on which other rows there are: then none may be left out. Of SQL text nobody knows. */
function looksAtOtherRows(expression: Expression): boolean {
  if (expression.kind === "call" && (expression.fn === "rand" || expression.fn === "monotonically_increasing_id")) {
    return true;
  }
  if (expression.kind === "text") {
    const text = expression.parts.filter((part) => typeof part === "string").join(" ");
    if (/\bover\b|random|row_number|select|uuid|nextval/i.test(text)) return true;
  }
  return childrenOf(expression).some(looksAtOtherRows);
}
