import { IllegalArgumentError } from "../errors";
import { Column, columnReference, SortColumn } from "./column";
import type { SortOrder } from "./plan";

export type SortArgument = string | Column | SortColumn | { ascending: boolean | readonly boolean[] };

/** What `orderBy` sorts by. @throws IllegalArgumentError where directions and columns differ in number */
export function sortOrders(columns: readonly SortArgument[]): SortOrder[] {
  const keys: (string | Column | SortColumn)[] = [];
  let ascending: boolean | readonly boolean[] = true;
  for (const column of columns) {
    if (typeof column === "number") {
      throw new IllegalArgumentError(`orderBy takes no place of a column such as ${column}.`, {
        remedy: 'Name the column: orderBy("label").',
      });
    }
    if (typeof column === "object" && "ascending" in column) ascending = column.ascending;
    else keys.push(column);
  }
  if (typeof ascending !== "boolean" && ascending.length !== keys.length) {
    throw new IllegalArgumentError(`ascending has ${ascending.length} values for ${keys.length} columns.`);
  }
  return keys.map((key, i) => {
    if (key instanceof SortColumn) return key.order;
    const column = typeof key === "string" ? new Column(columnReference(key)) : key;
    return (typeof ascending === "boolean" ? ascending : ascending[i]) ? column.asc().order : column.desc().order;
  });
}
