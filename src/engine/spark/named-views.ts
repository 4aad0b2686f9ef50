import { create } from "@bufbuild/protobuf";
import type { SparkClient } from "./client";
import { literal } from "./expressions";
import { PlanSchema } from "./protos/spark/connect/base_pb";
import type { Relation as Proto } from "./protos/spark/connect/relations_pb";
import { of, type Views } from "./relations";

/*
 * Spark looks a query's views up by their names in the session, which all of its plans share; from 4.0 on it takes views with a query, makes
 * them temporary views of these names, and drops them: of two queries at once one may find the other's, or none. So a name is there for no
 * longer than Spark needs to look up one query, which gets a name that nobody else has and stays what it was found to be.
 */

/** A query over views under a name of its own. */
export interface ViewQuery {
  readonly name: string;
  readonly text: Proto;
  readonly views: Views;
  /** Reads it once it is told. */
  readonly relation: Proto;
}

export function namedViews(client: SparkClient) {
  let made = 0;
  /** The last one that had a view of a name, in lower case. */
  const last = new Map<string, Promise<unknown>>();
  let unused: string[] = [];
  /** Names whose relation is in no plan any more. */
  const uses = new FinalizationRegistry<string>((name) => void unused.push(name));

  /** One after the other, of those that share a name. */
  const inTurn = <T>(views: Views, work: () => Promise<T>): Promise<T> => {
    const names = Object.keys(views).map((name) => name.toLowerCase());
    const turn = Promise.allSettled(names.map((name) => last.get(name))).then(work);
    for (const name of names) last.set(name, turn);
    return turn;
  };

  const register = async (name: string, input: Proto, signal: AbortSignal) => {
    const commandType = { case: "createDataframeView", value: { input, name, replace: true } } as const;
    const plan = create(PlanSchema, { opType: { case: "command", value: { commandType } } });
    for await (const _ of client.execute(plan, { signal }));
  };
  const drop = async (viewName: string) => {
    const catType = { case: "dropTempView", value: { viewName } } as const;
    const plan = create(PlanSchema, { opType: { case: "root", value: of({ case: "catalog", value: { catType } }) } });
    for await (const _ of client.execute(plan));
  };

  const during = <T>(views: Views, signal: AbortSignal, work: () => Promise<T>): Promise<T> =>
    inTurn(views, async () => {
      const names = Object.keys(views);
      try {
        for (const [name, input] of Object.entries(views)) await register(name, unlikeCached(input), signal);
        return await work();
      } finally {
        // A server that can't drop them now has them replaced the next time.
        await Promise.allSettled(names.map(drop));
      }
    });

  return {
    /** Does something while views are there under their names. */
    during,

    query(text: Proto, views: Views): ViewQuery {
      const name = `__pomona_query_${made++}`;
      const relation = of({
        case: "read",
        value: { readType: { case: "namedTable", value: { unparsedIdentifier: name } } },
      });
      uses.register(relation, name);
      return { name, text, views, relation };
    },

    async tell({ name, text, views }: ViewQuery, signal: AbortSignal): Promise<void> {
      await during(views, signal, () => register(name, text, signal));
      const old = unused;
      unused = [];
      await Promise.allSettled(old.map(drop));
    },
  };
}

/** Dropping a view makes Spark forget the cached rows of the very same relation: this one is another, and reads them. */
function unlikeCached(input: Proto): Proto {
  return of({ case: "filter", value: { input, condition: literal(true) } });
}
