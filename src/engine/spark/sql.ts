import { create } from "@bufbuild/protobuf";
import type { Plan } from "../../frame/plan";
import type { SqlPlan } from "../relation";
import type { SparkClient } from "./client";
import { type Relation as Proto, RelationCommonSchema } from "./protos/spark/connect/relations_pb";
import { of } from "./relations";

type Views = Readonly<Record<string, Proto>>;

/** Queries in Spark's SQL. A command, such as an INSERT, is done when its frame is first looked at, and once. */
export interface SparkSql {
  /** What a query gives, with its views as they are now: Spark is told of it where it has not been. @throws AnalysisError */
  resolve(source: SqlPlan, views: Views, signal: AbortSignal): Promise<Proto>;
  /** The same with other views, of a query that was resolved; to be used after `ready`. */
  relationOf(source: SqlPlan, views: Views): Proto;
  /** Tells a server that takes no views with a query of those that were asked for since. */
  ready(signal: AbortSignal): Promise<void>;
}

/** @param takesViews whether the server takes views with a query, as Spark does from 4.0 on */
export function sparkSql(client: SparkClient, takesViews: () => boolean): SparkSql {
  /** What commands gave; undefined for a query, which is asked anew each time. */
  const results = new WeakMap<Plan, Proto | undefined>();
  let untold: (readonly [name: string, input: Proto])[] = [];

  const relationOf = (source: SqlPlan, views: Views): Proto => {
    const done = results.get(source);
    if (done) return done;
    const root = of({ case: "sql", value: { query: source.query } });
    const all = Object.entries(views);
    if (!takesViews()) untold.push(...all);
    if (all.length === 0 || !takesViews()) return root;
    const references = all.map(([alias, input], i) => ({
      ...of({ case: "subqueryAlias", value: { input, alias } }),
      // Sail, not Spark, wants a number of each.
      common: create(RelationCommonSchema, { planId: BigInt(i) }),
    }));
    return of({ case: "withRelations", value: { root, references } });
  };

  const ready = async (signal: AbortSignal) => {
    const now = untold;
    untold = [];
    for (const [name, input] of now) {
      const command = { case: "createDataframeView", value: { input, name, replace: true } } as const;
      await run(client, command, signal);
    }
  };

  return {
    relationOf,
    ready,
    async resolve(source, views, signal) {
      if (!results.has(source)) {
        const input = relationOf(source, views);
        await ready(signal);
        // Older servers know the text alone.
        const command = { case: "sqlCommand", value: { sql: takesViews() ? "" : source.query, input } } as const;
        const given = await run(client, command, signal);
        results.set(source, isQuery(given) ? undefined : given);
      }
      return relationOf(source, views);
    },
  };
}

type Command =
  | { readonly case: "createDataframeView"; readonly value: { input: Proto; name: string; replace: boolean } }
  | { readonly case: "sqlCommand"; readonly value: { sql: string; input: Proto } };

async function run(client: SparkClient, commandType: Command, signal: AbortSignal): Promise<Proto | undefined> {
  let given: Proto | undefined;
  const plan = { opType: { case: "command", value: { commandType } } } as const;
  for await (const { responseType } of client.execute(plan, { signal }))
    if (responseType.case === "sqlCommandResult") given = responseType.value.relation;
  return given;
}

/** A query comes back as it was sent; a command as the rows that it gave. */
function isQuery(relation: Proto | undefined): boolean {
  const kind = relation?.relType.case;
  return kind === undefined || kind === "sql" || kind === "withRelations";
}
