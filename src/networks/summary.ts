import { inferShapes, type Layer, type Network, type Shape, weightShapes } from "./layers";
import { boxTable } from "./summary-table";

export interface SummaryOptions {
  /** Characters in a line. @default 108, or 88 where each layer has one input; less on a narrower terminal */
  readonly lineLength?: number;
  /** What takes the text, once. @default `console.log` */
  readonly printFn?: (text: string) => void;
  /** A column that says whether a layer is trained; all of Keras's are, until they are frozen. @default false */
  readonly showTrainable?: boolean;
}

/** The class of a layer in Keras. */
export function kerasClass(layer: Layer): string {
  switch (layer.kind) {
    case "input":
      return "InputLayer";
    case "conv2d":
      return "Conv2D";
    case "depthwiseConv2d":
      return "DepthwiseConv2D";
    case "batchNormalization":
      return "BatchNormalization";
    case "activation":
      return layer.reluLayer ? "ReLU" : "Activation";
    case "add":
      return "Add";
    case "multiply":
      return "Multiply";
    case "reshape":
      return "Reshape";
    case "dropout":
      return "Dropout";
    case "rescaling":
      return "Rescaling";
    case "normalization":
      return "Normalization";
    case "zeroPadding2d":
      return "ZeroPadding2D";
    case "maxPooling2d":
      return "MaxPooling2D";
    case "averagePooling2d":
      return "AveragePooling2D";
    case "globalMaxPooling2d":
      return "GlobalMaxPooling2D";
    case "globalAveragePooling2d":
      return "GlobalAveragePooling2D";
    case "flatten":
      return "Flatten";
    case "dense":
      return "Dense";
  }
}

/** Numbers in a layer's weights: those that training changes, and those that it doesn't. */
export function parameterCount(layer: Layer, input: Shape | undefined): { trainable: number; fixed: number } {
  const counts = { trainable: 0, fixed: 0 };
  for (const [name, shape] of Object.entries(weightShapes(layer, input))) {
    counts[FIXED.has(name) ? "fixed" : "trainable"] += shape.reduce((product, size) => product * size, 1);
  }
  // Keras's Normalization counts what it has seen, for older files.
  if (layer.kind === "normalization") counts.fixed += 1;
  return counts;
}

const FIXED = new Set(["moving_mean", "moving_variance", "mean", "variance"]);

/** What Keras 3.15's `model.summary(line_length=lineLength)` prints, character for character, before the network has weights. */
export function summaryText(network: Network, { lineLength, showTrainable = false }: SummaryOptions = {}): string {
  const shapes = inferShapes(network.layers);
  const sequential = isSequential(network.layers);
  const total = { trainable: 0, fixed: 0, fixedBytes: 0 };
  const rows = network.layers.map((layer) => {
    const counts = parameterCount(layer, shapes.get(layer.inputs[0] ?? ""));
    total.trainable += counts.trainable;
    total.fixed += counts.fixed;
    // Normalization's count of what it has seen is a long.
    total.fixedBytes += counts.fixed * 4 + (layer.kind === "normalization" ? 4 : 0);
    const params = counts.trainable + counts.fixed;
    const row = [
      `${layer.name} (${kerasClass(layer)})`,
      `(None, ${shapes.get(layer.name)!.join(", ")})`,
      grouped(params),
    ];
    if (!sequential) row.push(layer.inputs.map((name) => `${name}[0][0]`).join(", ") || "-");
    if (showTrainable) row.push(params > 0 ? "Y" : "-");
    return row;
  });
  const base = sequential ? SEQUENTIAL : BRANCHED;
  const columns = showTrainable
    ? {
        headers: [...base.headers, "Trainable"],
        positions: [...base.positions.map((position) => position * 0.9), 1],
        alignment: [...base.alignment, "center" as const],
      }
    : base;
  const wide = base.lineLength + (showTrainable ? 12 : 0);
  const width = lineLength ?? Math.min(wide, (process.stdout.columns ?? Number.POSITIVE_INFINITY) - 4);
  const sum = (name: string, count: number, bytes: number) => ` ${name}: ${grouped(count)} (${readableBytes(bytes)})`;
  const trainableBytes = total.trainable * 4;
  return [
    `Model: "${network.title}"`,
    boxTable({ ...columns, rows, width }),
    sum("Total params", total.trainable + total.fixed, trainableBytes + total.fixedBytes),
    sum("Trainable params", total.trainable, trainableBytes),
    sum("Non-trainable params", total.fixed, total.fixedBytes),
    "",
  ].join("\n");
}

const SEQUENTIAL = {
  lineLength: 88,
  headers: ["Layer (type)", "Output Shape", "Param #"],
  positions: [0.45, 0.8, 1],
  alignment: ["left", "left", "right"],
} as const;

const BRANCHED = {
  lineLength: 108,
  headers: ["Layer (type)", "Output Shape", "Param #", "Connected to"],
  positions: [0.3, 0.56, 0.74, 1],
  alignment: ["left", "left", "right", "left"],
} as const;

/** Keras shows connections where a layer has two inputs, or an output goes two ways. */
function isSequential(layers: readonly Layer[]): boolean {
  return layers.every(
    ({ inputs }, i) => inputs.length === (i === 0 ? 0 : 1) && (i === 0 || inputs[0] === layers[i - 1]!.name),
  );
}

function grouped(count: number): string {
  return count.toLocaleString("en-US");
}

function readableBytes(bytes: number): string {
  let size = bytes;
  for (const unit of ["B", "KB", "MB", "GB"]) {
    if (size < 1024) return `${size.toFixed(2)} ${unit}`;
    size /= 1024;
  }
  return `${size.toFixed(2)} TB`;
}
