import { arrayType, type DataType, type StructField, type StructType, structField } from "../data/types";
import type { JsonReading } from "./json-options";
import type { JsonNode } from "./json-parser";
import { decimalShape, parseBigDecimal, parseLong, precisionOf } from "./values";

/** Finds the columns of JSON from all records: types widen as they meet, what does not go together is a string. */
export class JsonTypes {
  private root: DataType | undefined;
  private hasCorrupt = false;

  constructor(private readonly reading: JsonReading) {}

  /** @returns false for a record that is no row and no array of rows */
  add(record: JsonNode): boolean {
    const type = this.typeOf(record);
    let rows = type;
    while (isArray(rows)) rows = rows.elementType;
    if (rows === "void" || isStruct(rows)) {
      this.root =
        this.root === undefined || this.root === "void" ? rows : rows === "void" ? this.root : common(this.root, rows);
      return true;
    }
    this.corrupt();
    return false;
  }

  corrupt(): void {
    this.hasCorrupt = true;
  }

  result(): StructType {
    const found = this.root === undefined ? undefined : this.cleaned(this.root);
    const fields = found && isStruct(found) ? [...found.fields] : [];
    const { mode, corruptColumn } = this.reading;
    if (this.hasCorrupt && mode === "PERMISSIVE" && !fields.some((f) => f.name === corruptColumn)) {
      fields.push(structField(corruptColumn, "string"));
    }
    return { type: "struct", fields: fields.sort(byName) };
  }

  private typeOf(node: JsonNode): DataType {
    const { reading } = this;
    if (node === null || node === "") return "void";
    if (typeof node === "string") return this.typeOfText(node);
    if (typeof node === "boolean") return reading.primitivesAsString ? "string" : "boolean";
    switch (node.kind) {
      case "number": {
        if (reading.primitivesAsString) return "string";
        if (node.isWhole && parseLong(node.text) !== undefined) return "long";
        return (node.isWhole || reading.prefersDecimal ? decimalType(node.text) : undefined) ?? "double";
      }
      case "array":
        return arrayType(node.items.reduce<DataType>((type, item) => common(type, this.typeOf(item)), "void"));
      case "object": {
        const fields = node.names.map((name, i) => structField(name, this.typeOf(node.values[i] ?? null)));
        return { type: "struct", fields: fields.sort(byName) };
      }
    }
  }

  private typeOfText(text: string): DataType {
    const decimal = this.reading.prefersDecimal ? decimalType(text) : undefined;
    if (decimal) return decimal;
    return this.reading.inferTimestamp && this.reading.times.inferTimestamp(text) !== undefined
      ? "timestamp"
      : "string";
  }

  /** Without structs that have no field; what was only null is a string. */
  private cleaned(type: DataType): DataType | undefined {
    if (type === "void") return this.reading.dropFieldIfAllNull ? undefined : "string";
    if (isArray(type)) {
      const element = this.cleaned(type.elementType);
      return element && arrayType(element);
    }
    if (!isStruct(type)) return type;
    const fields = type.fields.flatMap((field): StructField[] => {
      const kept = field.name === "" ? undefined : this.cleaned(field.type);
      return kept ? [structField(field.name, kept)] : [];
    });
    return fields.length > 0 ? { type: "struct", fields } : undefined;
  }
}

function decimalType(text: string): DataType | undefined {
  const value = parseBigDecimal(text);
  if (!value || value.scale < 0) return undefined;
  const precision = Math.max(precisionOf(value), value.scale);
  return precision <= 38 ? `decimal(${precision},${value.scale})` : undefined;
}

function common(a: DataType, b: DataType): DataType {
  if (a === b || b === "void") return a;
  if (a === "void") return b;
  if (isStruct(a) && isStruct(b)) {
    return { type: "struct", fields: commonFields(a.fields, b.fields) };
  }
  if (isArray(a) && isArray(b)) return arrayType(common(a.elementType, b.elementType));
  return commonNumber(a, b) ?? "string";
}

/** Both are sorted by name. A name that one record has twice stays twice, as in Spark, each time for itself. */
function commonFields(a: readonly StructField[], b: readonly StructField[]): StructField[] {
  const fields: StructField[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const [one, two] = [a[i], b[j]];
    const order = one && two ? byName(one, two) : one ? -1 : 1;
    if (order <= 0) i++;
    if (order >= 0) j++;
    const [first, second] = order <= 0 ? [one, order === 0 ? two : undefined] : [two, undefined];
    if (first) fields.push(second ? structField(first.name, common(first.type, second.type)) : first);
  }
  return fields;
}

function commonNumber(a: DataType, b: DataType): DataType | undefined {
  const shapes = [a, b].map((type) => (type === "long" ? { precision: 20, scale: 0 } : decimalShape(type)));
  const [first, second] = shapes;
  if ((a === "double" && (b === "double" || second)) || (b === "double" && first)) return "double";
  if (!first || !second) return undefined;
  const scale = Math.max(first.scale, second.scale);
  const range = Math.max(first.precision - first.scale, second.precision - second.scale);
  return range + scale > 38 ? "double" : `decimal(${range + scale},${scale})`;
}

function isStruct(type: DataType): type is StructType {
  return typeof type !== "string" && type.type === "struct";
}

function isArray(type: DataType): type is Extract<DataType, { type: "array" }> {
  return typeof type !== "string" && type.type === "array";
}

function byName(a: StructField, b: StructField): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
