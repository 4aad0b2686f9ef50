import type { RecordBatch } from "apache-arrow";
import { sparkType } from "../data/arrow";
import { valuesFromVector } from "../data/vectors";
import { DuplicateColumnError } from "./analysis-error";

/** A batch's rows as objects. @throws DuplicateColumnError where two columns have one name */
export function rowsOf<R>(batch: RecordBatch): R[] {
  const names = batch.schema.fields.map((field) => field.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new DuplicateColumnError(
      twice,
      "A row is an object, which has each name once; show() and toArrow() give both.",
    );
  }
  // What stands for the rows of a frame without columns is no column.
  const columns = (String(names) === "__none" ? [] : batch.schema.fields).map((field, i) => {
    const vector = batch.getChildAt(i);
    return { name: field.name, values: vector ? valuesFromVector(vector, sparkType(field.type)) : [] };
  });
  return Array.from(
    { length: batch.numRows },
    (_, i) => Object.fromEntries(columns.map(({ name, values }) => [name, values[i]])) as R,
  );
}
