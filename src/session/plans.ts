import { IllegalArgumentError } from "../errors";
import { AnalysisError } from "../frame/analysis-error";
import type { Plan, SqlDialect } from "../frame/plan";
import { viewNamed } from "../frame/views";
import { observed } from "../storage/observed-reads";

type Views = ReadonlyMap<string, Plan>;

/** Whole numbers from `start` to before `end`. @throws IllegalArgumentError for other numbers, and a step of 0 */
export function rangePlan(start: number, end: number, step: number): Plan {
  const broken = [start, end, step].find((n) => !Number.isSafeInteger(n));
  if (broken !== undefined || step === 0) {
    throw new IllegalArgumentError(`range takes whole numbers and a step other than 0, not ${broken ?? step}.`);
  }
  const [first, last, by] = [start, end, step].map((n) => BigInt(n).toString()) as [string, string, string];
  return { op: "range", start: first, end: last, step: by };
}

/** What a view stands for. @throws AnalysisError where there is none of that name */
export function viewPlan(views: Map<string, Plan>, name: string): Plan {
  const plan = viewNamed(views, name);
  observed({ kind: "view", name, plan });
  if (plan) return plan;
  const names = [...views.keys()].sort().join(", ") || "none";
  throw new AnalysisError(`[TABLE_OR_VIEW_NOT_FOUND] There is no view \`${name}\`; there are: ${names}.`, {
    remedy: "Name one by df.createOrReplaceTempView(name); files are read by session.read.",
  });
}

/** A table of Spark's catalog, whose name may have several parts, as a query: what the parts are is for Spark to say. */
export function tableQuery(name: string): string {
  return `SELECT * FROM IDENTIFIER('${name.replace(/[\\']/g, "\\$&")}')`;
}

/** A query over a session's views and those given for it alone, of which only the ones that it may mean are looked up. */
export function queryPlan(
  query: string,
  dialect: SqlDialect,
  views: Views,
  given: Readonly<Record<string, { readonly plan: Plan }>>,
): Plan {
  const all = new Map([...views, ...Object.entries(given).map(([name, df]) => [name, df.plan] as const)]);
  const wordsOf = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];
  const words = new Set(wordsOf(query));
  const meant = [...all].filter(([name]) => wordsOf(name).every((word) => words.has(word)));
  for (const [name, plan] of meant) if (!Object.hasOwn(given, name)) observed({ kind: "view", name, plan });
  return { op: "sql", dialect, query, views: Object.fromEntries(meant) };
}

/** What Spark's `SHOW TABLES` and `SHOW VIEWS` give of views, which the relational engine knows only within a query; undefined for others. */
export function shownViews(query: string, views: Views) {
  const listed = /^\s*show\s+(tables|views)\s*;?\s*$/i.exec(query)?.[1]?.toLowerCase();
  if (!listed) return undefined;
  const column = listed === "tables" ? "tableName" : "viewName";
  return {
    rows: [...views.keys()].sort().map((name) => ({ namespace: "", [column]: name, isTemporary: true })),
    schema: `namespace string not null, ${column} string not null, isTemporary boolean not null`,
  };
}
