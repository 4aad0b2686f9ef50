import { DataType, type Vector } from "apache-arrow";
import type { UserCall } from "../data/batch-function";
import { IllegalArgumentError } from "../errors";
import { decodeImage } from "../image/decode";
import { writeTensor } from "../image/preprocess";
import type { RgbImage } from "../image/rgb-image";
import { inputShape, type Network } from "./layers";

export interface InputOptions {
  readonly network: Network;
  /** Most pixels of an image. */
  readonly maxPixels: number | undefined;
  /** The user's function of a decoded image: gives another image, or what goes into the network. */
  readonly preprocess: UserCall | undefined;
}

/** Some rows: those that can go into the network, and why others can't. Null rows are in neither. */
export interface NetworkInputs {
  readonly ready: readonly {
    readonly row: number;
    /** Writes rows x columns x channels to `out` from `offset` on. */
    readonly write: (out: Float32Array, offset: number) => void;
  }[];
  readonly failures: readonly { readonly row: number; readonly error: Error }[];
}

/**
 * Makes the rows from `from` to before `to` ready for the network: image files are decoded, numbers are taken as they are.
 * @throws IllegalArgumentError for a column of another type
 */
export async function networkInputs(
  content: Vector,
  path: Vector | undefined,
  from: number,
  to: number,
  options: InputOptions,
): Promise<NetworkInputs> {
  const ready: { row: number; write: (out: Float32Array, offset: number) => void }[] = [];
  const failures: { row: number; error: Error }[] = [];
  const writer = rowWriter(content, path, options);
  const makeReady = async (row: number) => {
    try {
      const write = await writer(row);
      if (write) ready.push({ row, write });
    } catch (error) {
      failures.push({ row, error: error instanceof Error ? error : new Error(String(error)) });
    }
  };
  await Promise.all(Array.from({ length: to - from }, (_, i) => makeReady(from + i)));
  // In the order of the rows, not in that in which they were done: a batch gives the same numbers every time.
  ready.sort((a, b) => a.row - b.row);
  failures.sort((a, b) => a.row - b.row);
  return { ready, failures };
}

type Write = (out: Float32Array, offset: number) => void;

function rowWriter(content: Vector, path: Vector | undefined, options: InputOptions) {
  const { network, preprocess } = options;
  const [height, width] = inputShape(network);
  const writeImage =
    (image: RgbImage): Write =>
    (out, offset) =>
      writeTensor(image, width, height, network.preprocessing, out, offset);
  const { type } = content;
  if (DataType.isBinary(type) || DataType.isLargeBinary(type)) {
    return async (row: number): Promise<Write | undefined> => {
      const bytes = content.get(row) as Uint8Array | null;
      if (bytes === null) return undefined;
      const name = (path?.get(row) as string | null | undefined) ?? undefined;
      const image = await decodeImage(bytes, { path: name, maxPixels: options.maxPixels });
      if (!preprocess) return writeImage(image);
      const made = await preprocess(row, image);
      return isImage(made) ? writeImage(made) : writeNumbers(made, network, "preprocess returned");
    };
  }
  if ((DataType.isList(type) || DataType.isFixedSizeList(type)) && isNumber(type.children[0]?.type)) {
    if (preprocess) {
      throw new IllegalArgumentError("preprocess works on image files, and this column holds arrays of numbers.", {
        remedy: "Leave out preprocess, or give the column of files.",
      });
    }
    return async (row: number): Promise<Write | undefined> => {
      const values = content.get(row) as Vector | null;
      if (values === null) return undefined;
      const numbers = values.nullCount > 0 ? Array.from(values) : values.toArray();
      return writeNumbers(numbers, network, "the column holds");
    };
  }
  throw new IllegalArgumentError(`${network.name} takes a column of image files (binary) or of numbers, not ${type}.`, {
    remedy: 'Give the column "content" of format("binaryFile"), or arrays of rows x columns x 3 numbers.',
  });
}

/** What goes into the network as it is: as many numbers as it takes. */
function writeNumbers(values: unknown, network: Network, who: string): Write {
  const shape = inputShape(network);
  const length = shape.reduce((product, size) => product * size, 1);
  const isList = Array.isArray(values) || (ArrayBuffer.isView(values) && !(values instanceof DataView));
  const list = values as ArrayLike<unknown>;
  if (!isList || list.length !== length || typeof list[0] !== "number") {
    const found = isList
      ? `${list.length} values`
      : values === null || values === undefined
        ? "nothing"
        : typeof values;
    throw new IllegalArgumentError(`${network.name} takes ${shape.join(" x ")} = ${length} numbers; ${who} ${found}.`, {
      remedy:
        "Give rows, columns, channels one after the other, as numpy's array.ravel() has them, or an image { width, height, data }.",
    });
  }
  if (Array.isArray(values) && !values.every((value) => typeof value === "number")) {
    throw new IllegalArgumentError(`${network.name} takes numbers; ${who} ${describeOther(values)} among them.`);
  }
  return (out, offset) => out.set(list as ArrayLike<number>, offset);
}

function describeOther(values: readonly unknown[]): string {
  const other = values.find((value) => typeof value !== "number");
  return other === null || other === undefined ? "null" : `a ${typeof other}`;
}

function isNumber(type: DataType | undefined): boolean {
  return type !== undefined && (DataType.isFloat(type) || (DataType.isInt(type) && type.bitWidth < 64));
}

function isImage(value: unknown): value is RgbImage {
  const image = value as Partial<RgbImage> | null;
  return (
    typeof image === "object" && image !== null && image.data instanceof Uint8Array && typeof image.width === "number"
  );
}
