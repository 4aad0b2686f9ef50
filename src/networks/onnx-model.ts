import type { ConvNode, Graph, GraphNode, Pads } from "./graph";
import type { Activation, Pair, Shape } from "./layers";
import { bytes, encode, type Field, integer, message, text } from "./protobuf";

// Layers have no slash in their names, so these are nobody else's.
/** The graph's input, `[batch, rows, columns, channels]`. */
export const ONNX_INPUT = "network/input";
/** The graph's output, `[batch, values]`. */
export const ONNX_OUTPUT = "network/output";

/**
 * The graph as an ONNX model. It takes NHWC and turns it to ONNX's NCHW once; the batch is free.
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3 for the field numbers
 * @see https://onnx.ai/onnx/operators/
 */
export function onnxModel(graph: Graph): Uint8Array {
  const writer: Writer = { nodes: [], initializers: [] };
  for (const node of graph.nodes) writeNode(writer, node, graph);
  const last = graph.nodes.at(-1)!.name;
  writeOp(writer, "Identity", [last], ONNX_OUTPUT);
  const proto = [
    ...writer.nodes.map((node) => message(1, node)),
    text(2, graph.name),
    ...writer.initializers.map((tensor) => message(5, tensor)),
    message(11, valueInfo(ONNX_INPUT, graph.inputShape)),
    message(12, valueInfo(ONNX_OUTPUT, [graph.outputLength])),
  ];
  return encode([
    integer(1, IR_VERSION),
    text(2, "pomona"),
    message(7, proto),
    message(8, [text(1, ""), integer(2, OPSET)]),
  ]);
}

const IR_VERSION = 8;
const OPSET = 17;
const FLOAT = 1;
const INT64 = 7;

interface Writer {
  readonly nodes: Field[][];
  readonly initializers: Field[][];
}

function writeNode(writer: Writer, node: GraphNode, graph: Graph): void {
  switch (node.op) {
    case "input":
      writeOp(writer, "Transpose", [ONNX_INPUT], node.name, [ints("perm", [0, 3, 1, 2])]);
      return;
    case "conv":
    case "depthwiseConv":
      writeConv(writer, node);
      return;
    case "dense": {
      const { kernel, bias, shape } = node;
      writeTensor(writer, `${node.name}/kernel`, [kernel.length / shape[0], shape[0]], kernel);
      writeTensor(writer, `${node.name}/bias`, [bias.length], bias);
      const inputs = [node.inputs[0]!, `${node.name}/kernel`, `${node.name}/bias`];
      withActivation(writer, node.activation, node.name, (out) => writeOp(writer, "Gemm", inputs, out));
      return;
    }
    case "scale": {
      const dims = node.shape.length === 3 ? [node.scale.length, 1, 1] : [node.scale.length];
      writeTensor(writer, `${node.name}/scale`, dims, Float32Array.from(node.scale));
      writeTensor(writer, `${node.name}/shift`, dims, Float32Array.from(node.shift));
      writeOp(writer, "Mul", [node.inputs[0]!, `${node.name}/scale`], `${node.name}/scaled`);
      withActivation(writer, node.activation, node.name, (out) =>
        writeOp(writer, "Add", [`${node.name}/scaled`, `${node.name}/shift`], out),
      );
      return;
    }
    case "add":
    case "multiply": {
      const op = node.op === "add" ? "Add" : "Mul";
      withActivation(writer, node.activation, node.name, (out) => writeOp(writer, op, node.inputs, out));
      return;
    }
    case "reshape":
      // 0 is the batch as it comes; one pixel is the same in NCHW.
      writeInt64(writer, `${node.name}/shape`, [0, node.shape[2], 1, 1]);
      writeOp(writer, "Reshape", [node.inputs[0]!, `${node.name}/shape`], node.name);
      return;
    case "activation":
      writeActivation(writer, node.activation, node.inputs[0]!, node.name);
      return;
    case "pad": {
      const { rows, columns } = node.pads;
      writeInt64(writer, `${node.name}/pads`, [0, 0, rows[0], columns[0], 0, 0, rows[1], columns[1]]);
      writeOp(writer, "Pad", [node.inputs[0]!, `${node.name}/pads`], node.name);
      return;
    }
    case "maxPool":
    case "averagePool":
      writeOp(writer, node.op === "maxPool" ? "MaxPool" : "AveragePool", node.inputs, node.name, [
        ints("kernel_shape", node.pool),
        ...slidingAttributes(node.strides, node.pads),
      ]);
      return;
    case "globalMaxPool":
    case "globalAveragePool": {
      const op = node.op === "globalMaxPool" ? "GlobalMaxPool" : "GlobalAveragePool";
      writeOp(writer, op, node.inputs, `${node.name}/square`);
      writeOp(writer, "Flatten", [`${node.name}/square`], node.name);
      return;
    }
    case "flatten": {
      // Keras flattens rows, columns, channels.
      const input = graph.nodes.find(({ name }) => name === node.inputs[0]);
      if (input?.shape.length !== 3) {
        writeOp(writer, "Flatten", node.inputs, node.name);
        return;
      }
      writeOp(writer, "Transpose", node.inputs, `${node.name}/nhwc`, [ints("perm", [0, 2, 3, 1])]);
      writeOp(writer, "Flatten", [`${node.name}/nhwc`], node.name);
      return;
    }
  }
}

function writeConv(writer: Writer, node: ConvNode): void {
  const [rows, columns, channels, filters] = node.kernelShape;
  const depthwise = node.op === "depthwiseConv";
  // ONNX wants filters first: (filters, channels, rows, columns); a depthwise one has a filter a channel, of one channel.
  const dims = depthwise ? [channels, 1, rows, columns] : [filters, channels, rows, columns];
  const kernel = depthwise
    ? transposeMatrix(node.kernel, rows * columns, channels)
    : transposeMatrix(node.kernel, rows * columns * channels, filters);
  const ordered = depthwise ? kernel : channelsFirst(kernel, filters, rows * columns, channels);
  writeTensor(writer, `${node.name}/kernel`, dims, ordered);
  writeTensor(writer, `${node.name}/bias`, [node.bias.length], node.bias);
  const inputs = [node.inputs[0]!, `${node.name}/kernel`, `${node.name}/bias`];
  withActivation(writer, node.activation, node.name, (out) =>
    writeOp(writer, "Conv", inputs, out, [
      ints("kernel_shape", [rows, columns]),
      ...slidingAttributes(node.strides, node.pads),
      attribute("group", INT_ATTRIBUTE, [integer(3, depthwise ? channels : 1)]),
    ]),
  );
}

/** `rows` x `columns` to `columns` x `rows`. */
function transposeMatrix(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = values[r * columns + c]!;
  return out;
}

/** Each filter from (place, channel) to (channel, place). */
function channelsFirst(values: Float32Array, filters: number, places: number, channels: number): Float32Array {
  const out = new Float32Array(values.length);
  const size = places * channels;
  for (let f = 0; f < filters; f++) {
    out.set(transposeMatrix(values.subarray(f * size, (f + 1) * size), places, channels), f * size);
  }
  return out;
}

function slidingAttributes(strides: Pair, { rows, columns }: Pads): Field[] {
  return [ints("strides", strides), ints("pads", [rows[0], columns[0], rows[1], columns[1]])];
}

/** Writes an operation and, where there is one, its activation, so that the last of them is named `name`. */
function withActivation(writer: Writer, activation: Activation, name: string, write: (out: string) => void): void {
  if (activation === "linear") {
    write(name);
    return;
  }
  write(`${name}/linear`);
  writeActivation(writer, activation, `${name}/linear`, name);
}

function writeActivation(writer: Writer, activation: Activation, input: string, name: string): void {
  switch (activation) {
    case "linear":
      writeOp(writer, "Identity", [input], name);
      return;
    case "relu":
      writeOp(writer, "Relu", [input], name);
      return;
    case "relu6":
      writeTensor(writer, `${name}/0`, [], Float32Array.of(0));
      writeTensor(writer, `${name}/6`, [], Float32Array.of(6));
      writeOp(writer, "Clip", [input, `${name}/0`, `${name}/6`], name);
      return;
    case "sigmoid":
      writeOp(writer, "Sigmoid", [input], name);
      return;
    case "swish":
      writeOp(writer, "Sigmoid", [input], `${name}/sigmoid`);
      writeOp(writer, "Mul", [input, `${name}/sigmoid`], name);
      return;
  }
}

function writeOp(writer: Writer, op: string, inputs: readonly string[], out: string, attributes: Field[] = []): void {
  writer.nodes.push([...inputs.map((name) => text(1, name)), text(2, out), text(3, out), text(4, op), ...attributes]);
}

const INT_ATTRIBUTE = 2;
const INTS_ATTRIBUTE = 7;

function attribute(name: string, type: number, value: Field[]): Field {
  return message(5, [text(1, name), ...value, integer(20, type)]);
}

function ints(name: string, values: readonly number[]): Field {
  return attribute(
    name,
    INTS_ATTRIBUTE,
    values.map((value) => integer(8, value)),
  );
}

function writeTensor(writer: Writer, name: string, dims: readonly number[], values: Float32Array): void {
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  writer.initializers.push([...dims.map((n) => integer(1, n)), integer(2, FLOAT), text(8, name), bytes(9, raw)]);
}

function writeInt64(writer: Writer, name: string, values: readonly number[]): void {
  const { buffer } = BigInt64Array.from(values, BigInt);
  const fields = [integer(1, values.length), integer(2, INT64), text(8, name), bytes(9, new Uint8Array(buffer))];
  writer.initializers.push(fields);
}

function valueInfo(name: string, shape: Shape): Field[] {
  const dimensions = [[text(2, "batch")], ...shape.map((size) => [integer(1, size)])];
  const tensorType = [
    integer(1, FLOAT),
    message(
      2,
      dimensions.map((dimension) => message(1, dimension)),
    ),
  ];
  return [text(1, name), message(2, [message(1, tensorType)])];
}
