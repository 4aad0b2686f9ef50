import type { Plan } from "../frame/plan";
import { viewNamed } from "../frame/views";

/** A view as `listTables` tells it. */
export interface CatalogTable {
  readonly name: string;
  readonly catalog: null;
  readonly namespace: readonly string[];
  readonly description: null;
  readonly tableType: "TEMPORARY";
  readonly isTemporary: true;
}

/**
 * What a session knows by name: its temporary views; there are no other tables here.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/catalog.html
 */
export interface Catalog {
  /** The views, sorted by name. */
  listTables(): CatalogTable[];
  /** True where there is a view of this name, in any case. */
  tableExists(name: string): boolean;
  /** Forgets a view; true if there was one. */
  dropTempView(name: string): boolean;
}

/** The catalog of a session's views. */
export function catalogOf(views: Map<string, Plan>): Catalog {
  return {
    listTables: () =>
      [...views.keys()].sort().map((name) => ({
        name,
        catalog: null,
        namespace: [],
        description: null,
        tableType: "TEMPORARY",
        isTemporary: true,
      })),
    tableExists: (name) => viewNamed(views, name) !== undefined,
    dropTempView: (name) => {
      const known = [...views.keys()].filter((other) => other.toLowerCase() === name.toLowerCase());
      return known.map((other) => views.delete(other)).some(Boolean);
    },
  };
}
