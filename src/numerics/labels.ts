import { deserialize } from "node:v8";
import type { RecordBatch, Vector } from "apache-arrow";
import { sparkType } from "../data/arrow";
import { defineBuiltin, type TableFunction } from "../data/batch-function";
import { type DecimalValue, decimalText } from "../data/decimal";
import { javaDouble, javaFloat } from "../data/java-number";
import { VectorRowError } from "../data/matrix";
import type { ShippedFile } from "../data/shipped-file";
import { type DataType, type StructType, simpleString, structField } from "../data/types";
import { batchFromColumns, vectorFromValues } from "../data/vectors";
import { IllegalArgumentError } from "../errors";

export const INVALID_HANDLING = ["error", "skip", "keep"] as const;
/** What a label that was not seen in fitting, or null, does: fail, drop the row, or take the index after the last. */
export type HandleInvalid = (typeof INVALID_HANDLING)[number];

/** Parameters of `ml.stringIndex`. @property labels the broadcast labels, in order */
export type StringIndexParams = {
  readonly column: string;
  readonly labels: ShippedFile;
  readonly handleInvalid: HandleInvalid;
};

export const LABEL_COUNTS_SCHEMA: StructType = {
  type: "struct",
  fields: [structField("label", "string", false), structField("count", "long", false)],
};

/** Table function `ml.labelCounts`: how often each label comes in a partition; null and NaN are none. */
export const labelCounts = defineBuiltin<{ readonly column: string }>({
  shape: "table",
  name: "ml.labelCounts",
  returns({ column }, { fields }) {
    checkLabelType(column, fields.find(({ name }) => name.toLowerCase() === column.toLowerCase())?.type);
    return LABEL_COUNTS_SCHEMA;
  },
  async create({ column }): Promise<TableFunction> {
    const counts = new Map<string, number>();
    return {
      apply(batch) {
        for (const label of labelsOf(batch.getChild(column)!)) {
          if (label !== null && label !== NOT_A_NUMBER) counts.set(label, (counts.get(label) ?? 0) + 1);
        }
        return undefined;
      },
      finish() {
        if (counts.size === 0) return undefined;
        const numbers = Array.from(counts.values(), BigInt);
        return batchFromColumns([
          { name: "label", vector: vectorFromValues([...counts.keys()], "string") },
          { name: "count", vector: vectorFromValues(numbers, "long") },
        ]);
      },
    };
  },
});

/** Adds up the counts of partitions. */
export function gatherLabelCounts() {
  const counts = new Map<string, number>();
  return {
    add(batch: RecordBatch): void {
      const numbers = batch.getChild("count")!;
      [...batch.getChild("label")!].forEach((label: string, i) => {
        counts.set(label, (counts.get(label) ?? 0) + Number(numbers.get(i)));
      });
    },
    /** Also where there is no label: a column of nulls has none, and that is no error. */
    finish: (): ReadonlyMap<string, number> => counts,
  };
}

/** Column function `ml.stringIndex`: a label's place among the labels; null for a row to skip. */
export const stringIndex = defineBuiltin<StringIndexParams>({
  shape: "column",
  name: "ml.stringIndex",
  returns({ column }, [type]) {
    checkLabelType(column, type);
    return "double";
  },
  async create({ column, labels: file, handleInvalid }, context) {
    const labels = deserialize(await context.fetch(file)) as readonly string[];
    const indices = new Map(labels.map((label, i) => [label, i]));
    return {
      apply([vector], rowError) {
        const found = labelsOf(vector!).map((label, row) => {
          const index = label === null ? undefined : indices.get(label);
          if (index !== undefined) return index;
          if (handleInvalid === "keep") return labels.length;
          if (handleInvalid === "error") rowError(row, unseen(column, row, label));
          return null;
        });
        return vectorFromValues(found, "double");
      },
    };
  },
});

/** Column function `ml.indexToString`: the label at a place, whose fraction is cut off. */
export const indexToString = defineBuiltin<{ readonly column: string; readonly labels: readonly string[] }>({
  shape: "column",
  name: "ml.indexToString",
  returns({ column }, [type]) {
    if (typeof type === "string" && isNumber(type)) return "string";
    throw wrongType(column, type, "IndexToString", "numbers");
  },
  async create({ column, labels }) {
    return {
      apply([vector], rowError) {
        const found = Array.from(vector!, (value, row) => {
          const label = value === null ? undefined : labels[Math.trunc(Number(value))];
          if (label !== undefined) return label;
          const remedy = `Its values must be from 0 to below ${labels.length}, the number of labels.`;
          rowError(row, new VectorRowError(column, row, `the index ${value}, which has no label`, remedy));
          return null;
        });
        return vectorFromValues(found, "string");
      },
    };
  },
});

const NOT_A_NUMBER = "NaN";

/** The values as the texts that Spark's cast to string gives. */
function labelsOf(vector: Vector): (string | null)[] {
  const type = sparkType(vector.type);
  return Array.from(vector, (value) => (value === null ? null : labelText(value, type)));
}

function labelText(value: unknown, type: DataType): string {
  if (type === "float") return javaFloat(value as number);
  if (type === "double") return javaDouble(value as number);
  if (typeof type === "string" && type.startsWith("decimal")) {
    return decimalText(value as DecimalValue, Number(type.slice(0, -1).split(",")[1]));
  }
  return String(value);
}

function checkLabelType(column: string, type: DataType | undefined): void {
  if (typeof type === "string" && (type === "string" || isNumber(type))) return;
  throw wrongType(column, type, "StringIndexer", "strings or numbers");
}

function isNumber(type: string): boolean {
  return ["byte", "short", "integer", "long", "float", "double"].includes(type) || type.startsWith("decimal");
}

function unseen(column: string, row: number, label: string | null): VectorRowError {
  const found = label === null ? "null" : `the label ${JSON.stringify(label)}, which was not there when it was fitted`;
  const remedy = 'Give handleInvalid: "keep" for an index of its own, or "skip" to drop such rows.';
  return new VectorRowError(column, row, found, remedy);
}

function wrongType(column: string, type: DataType | undefined, owner: string, wanted: string): IllegalArgumentError {
  const is = type === undefined ? "missing" : simpleString(type);
  return new IllegalArgumentError(`Column ${column} is ${is}, and ${owner} takes ${wanted}.`, {
    remedy: 'Cast it first, e.g. .cast("string").',
  });
}
