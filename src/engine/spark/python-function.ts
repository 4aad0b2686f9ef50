import { create } from "@bufbuild/protobuf";
import type { DataType } from "../../data/types";
import { protoType } from "./data-types";
import {
  type CommonInlineUserDefinedFunction,
  CommonInlineUserDefinedFunctionSchema,
} from "./protos/spark/connect/expressions_pb";

/** Spark's `PythonEvalType`: a function of one row's values, which needs no pyarrow; one of Arrow batches. */
const EVAL_TYPES = { row: 100, batches: 207 } as const;

/**
 * A function of some columns that runs in the executors' Python.
 * @param source a Python expression for the pair of a function and the type of its result
 * @param pythonVersion the executors', such as `3.11`: Spark refuses another one
 */
export function pythonFunction(
  name: string,
  form: keyof typeof EVAL_TYPES,
  columns: readonly string[],
  source: string,
  returns: DataType,
  pythonVersion: string,
): CommonInlineUserDefinedFunction {
  const value = {
    outputType: protoType(returns),
    evalType: EVAL_TYPES[form],
    command: pickleOf(source),
    pythonVer: pythonVersion,
  };
  return create(CommonInlineUserDefinedFunctionSchema, {
    functionName: name,
    deterministic: true,
    arguments: columns.map(attribute),
    function: { case: "pythonUdf", value },
  });
}

function attribute(column: string) {
  const unparsedIdentifier = `\`${column.replaceAll("`", "``")}\``;
  return { exprType: { case: "unresolvedAttribute", value: { unparsedIdentifier } } } as const;
}

/** Pickle, protocol 4, of `builtins.eval(source)`: every Python reads it, since nothing but text is in it. */
export function pickleOf(source: string): Uint8Array {
  const text = Buffer.from(source, "utf8");
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const head = Buffer.from("\x80\x04cbuiltins\neval\nX", "latin1");
  return Buffer.concat([head, length, text, Buffer.from("\x85R.", "latin1")]);
}
