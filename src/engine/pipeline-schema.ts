import type { BuiltinColumnFunction, BuiltinTableFunction } from "../data/batch-function";
import { type DataType, type StructField, type StructType, structField } from "../data/types";
import { builtinFunction } from "../worker/registry";
import type { Step } from "../worker/task";
import type { Pipeline } from "./pipeline";

/** The columns of a pipeline's output, of those of its source. @throws IllegalArgumentError where a function is given other types */
export function outputSchema(pipeline: Pipeline, source: StructType): StructType {
  let fields = new Map<string, StructField>(source.fields.map((f) => [f.name, f]));
  const add = (name: string, type: DataType) => fields.set(name, structField(name, type));
  for (const step of pipeline.steps) {
    switch (step.kind) {
      case "column":
        add(step.as, resultType(step, fields));
        if (step.errorAs) add(step.errorAs, "string");
        break;
      case "select":
        fields = new Map(step.columns.map(({ from, as }) => [as, { ...fields.get(from)!, name: as }]));
        break;
      case "table":
        if (step.fn.kind === "builtin") {
          const builtin = builtinFunction(step.fn) as BuiltinTableFunction;
          builtin.returns(step.fn.params, { type: "struct", fields: [...fields.values()] });
        }
        fields = new Map(step.schema.fields.map((f) => [f.name, f]));
        break;
    }
  }
  return { type: "struct", fields: pipeline.columns.map(({ from, as }) => ({ ...fields.get(from)!, name: as })) };
}

/** A built-in function says what it makes of the types that it gets; a user's was declared. */
function resultType(step: Extract<Step, { kind: "column" }>, fields: ReadonlyMap<string, StructField>): DataType {
  if (step.fn.kind === "source") return step.type;
  const builtin = builtinFunction(step.fn) as BuiltinColumnFunction;
  return builtin.returns(
    step.fn.params,
    step.args.map((name) => fields.get(name)?.type ?? "void"),
  );
}
