import type { MLVector } from "../data/linalg";
import { IllegalArgumentError } from "../errors";
import type { DataFrame } from "../frame/dataframe";
import { col } from "../frame/functions";
import type { With } from "../frame/row-types";
import { withBuiltinColumn } from "./builtin-column";
import { checkedChoice, checkedColumn, newUid } from "./identity";
import { loadModel, type SaveOptions, saveModel } from "./model-files";
import { checkOptions, type OptionsOf, refuseAccessors } from "./options";
import type { HasRuntime } from "./types";

const HANDLING = ["error", "skip"] as const;

export interface VectorAssemblerOptions<O extends string = string> {
  /** Columns of numbers, booleans, vectors or arrays of numbers, in the order of their values. */
  readonly inputCols: readonly string[];
  /** The vector column that `transform` adds (or replaces). */
  readonly outputCol: O;
  /** What a row with a null or NaN does: fail, or `skip`. Spark's `keep` needs the vectors' lengths and is refused. @default "error" */
  readonly handleInvalid?: (typeof HANDLING)[number];
}

const OPTIONS: OptionsOf<VectorAssemblerOptions> = {
  owner: "VectorAssembler",
  names: ["inputCols", "outputCol", "handleInvalid"],
  example: 'new VectorAssembler({ inputCols: ["a", "b"], outputCol: "features" })',
};

/**
 * Puts the values of several columns into one vector; sparse where that is shorter, as in Spark.
 * @see https://spark.apache.org/docs/latest/ml-features.html#vectorassembler
 */
export class VectorAssembler<O extends string = string> {
  readonly uid: string;
  readonly inputCols: readonly string[];
  readonly outputCol: O;
  readonly handleInvalid: (typeof HANDLING)[number];

  /** @throws IllegalArgumentError without input columns */
  constructor(options: VectorAssemblerOptions<O> & { readonly uid?: string }) {
    checkOptions(OPTIONS, options);
    this.uid = options.uid ?? newUid("VectorAssembler");
    if (!Array.isArray(options.inputCols) || options.inputCols.length === 0) {
      throw new IllegalArgumentError("VectorAssembler needs inputCols.", {
        remedy: 'Name the columns: new VectorAssembler({ inputCols: ["a", "b"], outputCol: "features" }).',
      });
    }
    this.inputCols = options.inputCols.map((name) => checkedColumn("VectorAssembler", "inputCol", name));
    this.outputCol = checkedColumn("VectorAssembler", "outputCol", options.outputCol) as O;
    this.handleInvalid = checkedChoice("VectorAssembler", "handleInvalid", options.handleInvalid ?? "error", HANDLING);
  }

  /** Adds the vectors. Lazy. */
  transform<R>(df: DataFrame<R>): DataFrame<With<R, O, MLVector>> {
    const { inputCols: columns, handleInvalid, outputCol } = this;
    const params = { columns, handleInvalid };
    const assembled = withBuiltinColumn<R, O, MLVector>(
      df,
      { inputCol: columns, outputCol },
      { name: "ml.assemble", params },
      "vector",
    );
    return handleInvalid === "skip" ? assembled.filter(col(outputCol).isNotNull()) : assembled;
  }

  /** Writes it to a folder. @throws PathAlreadyExistsError where something is there, unless `mode` is `overwrite` */
  async save(path: string, options: SaveOptions = {}): Promise<void> {
    const { uid, inputCols, outputCol, handleInvalid } = this;
    const data = { inputCols };
    await saveModel(path, { class: "VectorAssembler", uid, paramMap: { outputCol, handleInvalid }, data }, options);
  }

  /** Reads what `save` wrote. @throws ModelFormatError */
  static async load(path: string, session?: HasRuntime): Promise<VectorAssembler> {
    const saved = await loadModel(path, "VectorAssembler", session);
    const handleInvalid = saved.text("handleInvalid") === "skip" ? "skip" : "error";
    const columns = { inputCols: saved.texts("inputCols"), outputCol: saved.text("outputCol") };
    return new VectorAssembler({ uid: saved.uid, ...columns, handleInvalid });
  }
}

refuseAccessors(VectorAssembler, OPTIONS, OPTIONS.names);
