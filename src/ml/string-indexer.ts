import { IllegalArgumentError } from "../errors";
import type { DataFrame } from "../frame/dataframe";
import { col } from "../frame/functions";
import type { With } from "../frame/row-types";
import { gatherLabelCounts, type HandleInvalid, INVALID_HANDLING, LABEL_COUNTS_SCHEMA } from "../numerics";
import { withBuiltinColumn } from "./builtin-column";
import { checkedChoice, checkedColumn, newUid } from "./identity";
import { type ModelBroadcast, modelBroadcast } from "./model-broadcast";
import { loadModel, ModelFormatError, type SaveOptions, saveModel } from "./model-files";
import { checkOptions, type OptionsOf, refuseAccessors } from "./options";
import { mergedPartials } from "./partials";
import type { FitOptions, HasRuntime } from "./types";

const STRING_ORDERS = ["frequencyDesc", "frequencyAsc", "alphabetDesc", "alphabetAsc"] as const;
export type StringOrderType = (typeof STRING_ORDERS)[number];

export interface StringIndexerOptions<O extends string = string> {
  /** A column of strings or numbers; numbers are labels by their text. */
  readonly inputCol: string;
  /** The column that `transform` adds (or replaces): a double, the label's place. */
  readonly outputCol: O;
  /** What a label that was not seen in fitting, or null, does: fail, `skip` its row, or `keep` it with the next index. @default "error" */
  readonly handleInvalid?: HandleInvalid;
  /** The order of the labels; equally frequent ones are in alphabetical order. @default "frequencyDesc" */
  readonly stringOrderType?: StringOrderType;
}

const INDEXER_OPTIONS: OptionsOf<StringIndexerOptions> = {
  owner: "StringIndexer",
  names: ["inputCol", "outputCol", "handleInvalid", "stringOrderType"],
  example: 'new StringIndexer({ inputCol: "label", outputCol: "index" })',
};

/**
 * Numbers labels, the most frequent from 0.
 * @see https://spark.apache.org/docs/latest/ml-features.html#stringindexer
 */
export class StringIndexer<O extends string = string> {
  readonly uid = newUid("StringIndexer");
  readonly inputCol: string;
  readonly outputCol: O;
  readonly handleInvalid: HandleInvalid;
  readonly stringOrderType: StringOrderType;

  /** @throws IllegalArgumentError for an option that is none */
  constructor(options: StringIndexerOptions<O>) {
    checkOptions(INDEXER_OPTIONS, options);
    this.inputCol = checkedColumn("StringIndexer", "inputCol", options.inputCol);
    this.outputCol = checkedColumn("StringIndexer", "outputCol", options.outputCol) as O;
    this.handleInvalid = checkedChoice(
      "StringIndexer",
      "handleInvalid",
      options.handleInvalid ?? "error",
      INVALID_HANDLING,
    );
    const order = options.stringOrderType ?? "frequencyDesc";
    this.stringOrderType = checkedChoice("StringIndexer", "stringOrderType", order, STRING_ORDERS);
  }

  /** Counts the labels on the workers. Null and NaN are no labels. @throws IllegalArgumentError for a column of another type */
  async fit<R>(df: DataFrame<R>, options: FitOptions = {}): Promise<StringIndexerModel<O>> {
    const counts = await mergedPartials(df, this.inputCol, {
      function: "ml.labelCounts",
      schema: LABEL_COUNTS_SCHEMA,
      gathering: gatherLabelCounts(),
      signal: options.signal,
    });
    return new StringIndexerModel<O>({ ...this }, ordered(counts, this.stringOrderType)).broadcast(df);
  }
}

function ordered(counts: ReadonlyMap<string, number>, order: StringOrderType): string[] {
  // By code points, as Spark compares strings; JavaScript itself compares UTF-16 units.
  const alphabetical = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  const frequency = (label: string) => counts.get(label) ?? 0;
  const labels = [...counts.keys()].sort(alphabetical);
  switch (order) {
    case "frequencyDesc":
      return labels.sort((a, b) => frequency(b) - frequency(a));
    case "frequencyAsc":
      return labels.sort((a, b) => frequency(a) - frequency(b));
    case "alphabetDesc":
      return labels.reverse();
    case "alphabetAsc":
      return labels;
  }
}

/** The labels that a StringIndexer found. */
export class StringIndexerModel<O extends string = string> {
  readonly uid: string;
  readonly inputCol: string;
  readonly outputCol: O;
  readonly handleInvalid: HandleInvalid;
  /** The labels; each one's place is its index. */
  readonly labels: readonly string[];
  private readonly sent: ModelBroadcast;

  /** Made by {@link StringIndexer.fit} and {@link StringIndexerModel.load}. */
  constructor(
    params: {
      readonly uid: string;
      readonly inputCol: string;
      readonly outputCol: O;
      readonly handleInvalid: HandleInvalid;
    },
    labels: readonly string[],
  ) {
    this.uid = params.uid;
    this.inputCol = params.inputCol;
    this.outputCol = params.outputCol;
    this.handleInvalid = params.handleInvalid;
    this.labels = labels;
    this.sent = modelBroadcast("StringIndexerModel", labels);
  }

  /** The labels of each input column, of which there is one. */
  get labelsArray(): readonly (readonly string[])[] {
    return [this.labels];
  }

  /**
   * Adds the labels' indices. Lazy.
   * @throws ModelNotBroadcastError for a DataFrame of a session that the model has not been sent to
   */
  transform<R>(df: DataFrame<R>): DataFrame<With<R, O, number>> {
    const { inputCol: column, handleInvalid } = this;
    const params = { column, handleInvalid, labels: this.sent.fileFor(df.runtime) };
    const indexed = withBuiltinColumn<R, O, number>(df, this, { name: "ml.stringIndex", params }, "double");
    return handleInvalid === "skip" ? indexed.filter(col(this.outputCol).isNotNull()) : indexed;
  }

  /** Sends the labels to a session's workers, so that `transform` takes its DataFrames. Returns the model. */
  async broadcast(session: HasRuntime): Promise<this> {
    await this.sent.send(session.runtime);
    return this;
  }

  /**
   * Writes the model to a folder; a reader sees all of it or nothing.
   * @throws PathAlreadyExistsError where something is there, unless `mode` is `overwrite`
   */
  async save(path: string, options: SaveOptions = {}): Promise<void> {
    const { uid, inputCol, outputCol, handleInvalid, labels } = this;
    const paramMap = { inputCol, outputCol, handleInvalid };
    await saveModel(path, { class: "StringIndexerModel", uid, paramMap, data: { labels } }, options);
  }

  /** Reads a model that `save` wrote. @throws ModelFormatError where the folder holds no whole model of this class */
  static async load(path: string, session?: HasRuntime): Promise<StringIndexerModel> {
    const saved = await loadModel(path, "StringIndexerModel", session);
    const handleInvalid = INVALID_HANDLING.find((known) => known === saved.text("handleInvalid"));
    if (!handleInvalid) throw new ModelFormatError(path, "handleInvalid is of another form");
    const params = {
      uid: saved.uid,
      inputCol: saved.text("inputCol"),
      outputCol: saved.text("outputCol"),
      handleInvalid,
    };
    const model = new StringIndexerModel(params, saved.texts("labels"));
    return session ? model.broadcast(session) : model;
  }

  toString(): string {
    return `StringIndexerModel: uid=${this.uid}, handleInvalid=${this.handleInvalid}`;
  }

  /** What a cell or console.log shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

export interface IndexToStringOptions<O extends string = string> {
  /** A column of indices. */
  readonly inputCol: string;
  /** The column that `transform` adds (or replaces), the labels. */
  readonly outputCol: O;
  /** The labels by their indices: `indexerModel.labels`. In a Pipeline, those of the StringIndexer before it. */
  readonly labels?: readonly string[];
}

const LABEL_OPTIONS: OptionsOf<IndexToStringOptions> = {
  owner: "IndexToString",
  names: ["inputCol", "outputCol", "labels"],
  example: 'new IndexToString({ inputCol: "index", outputCol: "label", labels: indexerModel.labels })',
};

/**
 * Turns indices back into labels.
 * @see https://spark.apache.org/docs/latest/ml-features.html#indextostring
 */
export class IndexToString<O extends string = string> {
  readonly uid: string;
  readonly inputCol: string;
  readonly outputCol: O;
  readonly labels: readonly string[] | undefined;

  constructor(options: IndexToStringOptions<O> & { readonly uid?: string }) {
    checkOptions(LABEL_OPTIONS, options);
    this.uid = options.uid ?? newUid("IndexToString");
    this.inputCol = checkedColumn("IndexToString", "inputCol", options.inputCol);
    this.outputCol = checkedColumn("IndexToString", "outputCol", options.outputCol) as O;
    this.labels = options.labels;
  }

  /** Adds the labels. Lazy; a row whose index has no label fails. @throws IllegalArgumentError without labels */
  transform<R>(df: DataFrame<R>): DataFrame<With<R, O, string>> {
    const { inputCol: column, labels } = this;
    if (!labels) {
      throw new IllegalArgumentError("IndexToString has no labels.", {
        remedy: "Give those of the indexer: new IndexToString({ ..., labels: indexerModel.labels }).",
      });
    }
    const params = { column, labels };
    return withBuiltinColumn<R, O, string>(df, this, { name: "ml.indexToString", params }, "string");
  }

  /** Writes it to a folder. @throws PathAlreadyExistsError where something is there, unless `mode` is `overwrite` */
  async save(path: string, options: SaveOptions = {}): Promise<void> {
    const { uid, inputCol, outputCol, labels = [] } = this;
    await saveModel(
      path,
      { class: "IndexToString", uid, paramMap: { inputCol, outputCol }, data: { labels } },
      options,
    );
  }

  /** Reads what `save` wrote. @throws ModelFormatError */
  static async load(path: string, session?: HasRuntime): Promise<IndexToString> {
    const saved = await loadModel(path, "IndexToString", session);
    const labels = saved.texts("labels");
    const columns = { inputCol: saved.text("inputCol"), outputCol: saved.text("outputCol") };
    return new IndexToString({ uid: saved.uid, ...columns, ...(labels.length > 0 ? { labels } : {}) });
  }
}

refuseAccessors(StringIndexer, INDEXER_OPTIONS, INDEXER_OPTIONS.names);
refuseAccessors(StringIndexerModel, INDEXER_OPTIONS, ["inputCol", "outputCol", "handleInvalid"]);
refuseAccessors(IndexToString, LABEL_OPTIONS, LABEL_OPTIONS.names);
