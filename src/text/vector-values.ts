import { type Data, Vector } from "apache-arrow";
import type { DataType } from "../data/types";
import type { Value } from "./columns";

/** A column's values in the form of {@link Value}: no microsecond is lost on the way, as Arrow's own values lose them. */
export function valuesOf(vector: Vector, type: DataType): Value[] {
  const values: Value[] = [];
  for (const data of vector.data) for (const value of ofData(data, type)) values.push(value);
  return values;
}

function ofData(data: Data, type: DataType): Value[] {
  const { length } = data;
  const out = new Array<Value>(length).fill(null);
  const each = (value: (i: number) => Value) => {
    for (let i = 0; i < length; i++) if (data.getValid(i)) out[i] = value(i);
    return out;
  };
  if (typeof type !== "string") {
    switch (type.type) {
      case "struct": {
        const fields = type.fields.map((field, f) => ofData(data.children[f] as Data, field.type));
        return each((i) => fields.map((values) => values[i] ?? null));
      }
      case "array":
        return items(data, (child) => ofData(child, type.elementType));
      case "map":
        return items(data, (child) => {
          const keys = ofData(child.children[0] as Data, type.keyType);
          const values = ofData(child.children[1] as Data, type.valueType);
          return keys.map((key, i) => [key, values[i] ?? null]);
        });
    }
  }
  const raw = data.values as ArrayLike<number | bigint>;
  if (type === "timestamp" || type === "timestamp_ntz") return each((i) => raw[i] as bigint);
  if (type === "date") return each((i) => Number(raw[i]));
  if (type.startsWith("decimal")) {
    return each((i) => {
      let value = 0n;
      for (let word = 3; word >= 0; word--) value = (value << 32n) | BigInt(raw[i * 4 + word] ?? 0);
      return BigInt.asIntN(128, value);
    });
  }
  const vector = new Vector([data]);
  return each((i) => vector.get(i) as Value);

  function items(list: Data, valuesIn: (child: Data) => Value[]): Value[] {
    const all = valuesIn(list.children[0] as Data);
    const offsets = list.valueOffsets as Int32Array;
    return each((i) => all.slice(offsets[i] ?? 0, offsets[i + 1] ?? 0));
  }
}
