import { create, toBinary } from "@bufbuild/protobuf";
import { sha256Of } from "../../data/shipped-file";
import { AnalysisError } from "../../frame/analysis-error";
import type { SqlPlan } from "../relation";
import type { SparkClient } from "./client";
import { namedViews, type ViewQuery } from "./named-views";
import { type ExecutePlanResponse, PlanSchema, type Plan as ProtoPlan } from "./protos/spark/connect/base_pb";
import { type Relation as Proto, RelationCommonSchema, RelationSchema } from "./protos/spark/connect/relations_pb";
import { of, type Views } from "./relations";

/** The queries of one plan in Spark's SQL. A command, such as an INSERT, is done as its frame is first looked at, and once. */
export interface SparkQueries {
  /** Whether a text may be a command that is still to be done: its views' rows have to be there, not their columns alone. */
  isToDo(source: SqlPlan): boolean;
  /** Does it, unless another plan has; nothing is done for what turns out to be a query. @throws AnalysisError */
  perform(source: SqlPlan, views: Views, run: RunCommand, signal: AbortSignal): Promise<void>;
  /** What a query gives, or a command has given; to be used after `ready`. */
  relationOf(source: SqlPlan, views: Views): Proto;
  /** Tells the server of the views that were asked for since. */
  ready(signal: AbortSignal): Promise<void>;
}

/** Runs a plan that is a command, and gives what Spark answered. */
export type RunCommand = (plan: ProtoPlan) => Promise<readonly ExecutePlanResponse[]>;

/** @param isSail whether the server is Sail, which looks a query up by the views that come with it, and does so well */
export function sparkSql(client: SparkClient, isSail: () => boolean): () => SparkQueries {
  /** What commands gave; undefined for what turned out to be a query. */
  const results = new WeakMap<SqlPlan, Proto | undefined>();
  const underWay = new WeakMap<SqlPlan, Promise<unknown>>();
  const named = namedViews(client);

  const command = async (query: string, views: Views, run: RunCommand, signal: AbortSignal) => {
    if (isSail()) return given(run(sqlCommand("", queryWith(query, views))));
    return named.during(views, signal, () => given(run(sqlCommand(query, textOf(query)))));
  };

  return () => {
    let untold: ViewQuery[] = [];
    const asked = new Map<string, ViewQuery>();
    return {
      isToDo: (source) => mayBeCommand(source.query) && !results.has(source),

      async perform(source, views, run, signal) {
        refuseKeptText(source.query, views);
        refuseFixedSetting(source.query);
        // Where the plan that was at it failed or was stopped, it is done for this one.
        while (underWay.has(source)) await underWay.get(source)?.catch(() => {});
        if (results.has(source)) return;
        const work = command(source.query, views, run, signal);
        underWay.set(source, work);
        try {
          results.set(source, await work);
        } finally {
          underWay.delete(source);
        }
      },

      relationOf(source, views) {
        const done = results.get(source);
        if (done) return done;
        if (isSail() || Object.keys(views).length === 0) return queryWith(source.query, views);
        const key = JSON.stringify([
          source.query,
          ...Object.entries(views).map(([name, view]) => [name, hashOf(view)]),
        ]);
        const known = asked.get(key);
        if (known) return known.relation;
        const query = named.query(textOf(source.query), views);
        asked.set(key, query);
        untold.push(query);
        return query.relation;
      },

      async ready(signal) {
        const now = untold;
        untold = [];
        for (const query of now) await named.tell(query, signal);
      },
    };
  };
}

function hashOf(view: Proto): string {
  return sha256Of(toBinary(RelationSchema, view));
}

function textOf(query: string): Proto {
  return of({ case: "sql", value: { query } });
}

function queryWith(query: string, views: Views): Proto {
  const root = textOf(query);
  const all = Object.entries(views);
  if (all.length === 0) return root;
  const references = all.map(([alias, input], i) => ({
    ...of({ case: "subqueryAlias", value: { input, alias } }),
    // Sail wants a number of each.
    common: create(RelationCommonSchema, { planId: BigInt(i) }),
  }));
  return of({ case: "withRelations", value: { root, references } });
}

function sqlCommand(sql: string, input: Proto): ProtoPlan {
  const commandType = { case: "sqlCommand", value: { sql, input } } as const;
  return create(PlanSchema, { opType: { case: "command", value: { commandType } } });
}

/** A query comes back as it was sent; a command as the rows that it gave. */
async function given(responses: ReturnType<RunCommand>): Promise<Proto | undefined> {
  let relation: Proto | undefined;
  for (const { responseType } of await responses)
    if (responseType.case === "sqlCommandResult") relation = responseType.value.relation;
  const kind = relation?.relType.case;
  return kind === "sql" || kind === "withRelations" ? undefined : relation;
}

/** Blanks, comments without another in them, and what a query may be wrapped in. */
const BEFORE = /^(?:[\s(]|--.*|\/\*(?:(?!\/\*)[\s\S])*?\*\/)*/;

/** By its first word, and those that follow a WITH or FROM. In doubt it may. */
function mayBeCommand(query: string): boolean {
  const text = query.replace(BEFORE, "");
  if (/^(?:SELECT|VALUES|TABLE)\b/i.test(text)) return false;
  return !/^(?:WITH|FROM)\b/i.test(text) || /\b(?:INSERT|DELETE|UPDATE|MERGE)\b/i.test(text);
}

const KEEPS_TEXT =
  /^(?:CREATE\s+(?:OR\s+REPLACE\s+)?(?:GLOBAL\s+)?(?:TEMP(?:ORARY)?\s+)?VIEW|ALTER\s+VIEW|CACHE\s+(?:LAZY\s+)?TABLE)\b/i;

/** Spark keeps these as text, and does not find the session's views by that later. */
function refuseKeptText(query: string, views: Views): void {
  const names = Object.keys(views);
  const [what] = KEEPS_TEXT.exec(query.replace(BEFORE, "")) ?? [];
  if (what === undefined || names.length === 0) return;
  throw new AnalysisError(
    `${what.toUpperCase().replaceAll(/\s+/g, " ")} can't be of ${names.length > 1 ? "views" : "a view"} of this session: ${names.join(", ")}.`,
    {
      remedy:
        'Spark would keep the text and not find what it names. Name the query here: session.createOrReplaceTempView("name", session.sql("SELECT …")), with .cache() where its rows are to be kept.',
    },
  );
}

const FIXED_SETTING =
  /^SET\s+(?:TIME\s+ZONE\b|`?spark\.sql\.(?:ansi\.|session\.timeZone|caseSensitive|legacy\.)[^=]*=)|^RESET\b/i;

/** What decides values is the same on all masters: it is no command's to change. @throws AnalysisError */
function refuseFixedSetting(query: string): void {
  const text = query.replace(BEFORE, "").trim();
  if (!FIXED_SETTING.test(text)) return;
  throw new AnalysisError(
    `[UNSUPPORTED_FEATURE] ${JSON.stringify(text)} would make Spark compute other values than this session shows.`,
    {
      remedy:
        "Times are in UTC and casts and overflows are errors here, on every master. Other settings: session.conf.set(name, value).",
    },
  );
}
