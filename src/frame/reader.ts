import type { StructType } from "../data/types";
import { IllegalArgumentError } from "../errors";
import { DataFrame, type FrameOptions } from "./dataframe";
import { parseSchema } from "./ddl";
import { checkedOptions, type OptionValue, READ_OPTIONS, type ReadOption, readFormat } from "./options";
import type { ReadFormat } from "./plan";
import type { AnyRow } from "./row-types";
import type { Runtime } from "./runtime";

/**
 * The columns of format `binaryFile`.
 * @see https://spark.apache.org/docs/latest/sql-data-sources-binaryFile.html
 */
export interface BinaryFileRow {
  readonly path: string;
  readonly modificationTime: Date;
  /** Bytes. */
  readonly length: number;
  readonly content: Uint8Array;
}

/** The row type a format gives. */
export type RowOfFormat<F> = F extends "binaryFile" ? BinaryFileRow : AnyRow;

/**
 * Reads files into a DataFrame; nothing is read before an action, but the options are checked at once.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/io.html
 */
export class DataFrameReader<R = AnyRow> {
  private readonly options_ = new Map<string, OptionValue>();
  private format_: ReadFormat = "parquet";
  private schema_: StructType | undefined;

  constructor(
    private readonly runtime: Runtime,
    private readonly frameOptions: FrameOptions = {},
  ) {}

  /**
   * The files' format. @default "parquet"
   * @throws IllegalArgumentError for an unknown one, naming the nearest.
   */
  format<const F extends ReadFormat | (string & {})>(format: F): DataFrameReader<RowOfFormat<F>> {
    this.format_ = readFormat(format);
    return this as unknown as DataFrameReader<RowOfFormat<F>>;
  }

  /**
   * One option, such as `pathGlobFilter` or `recursiveFileLookup`. Unknown ones are an error at `load`.
   * @see https://spark.apache.org/docs/latest/sql-data-sources-generic-options.html
   */
  option(name: ReadOption | (string & {}), value: OptionValue): this {
    this.options_.set(name, value);
    return this;
  }

  /** Several options. */
  options(options: Readonly<Record<string, OptionValue>>): this {
    for (const [name, value] of Object.entries(options)) this.option(name, value);
    return this;
  }

  /** The files' schema, as a type or as text such as `"path STRING, size INT"`. */
  schema(schema: StructType | string): this {
    this.schema_ = typeof schema === "string" ? parseSchema(schema) : schema;
    return this;
  }

  /**
   * Files and folders as a DataFrame. Give `Row` where you know the columns: `load<{ label: string }>(path)`.
   * @throws IllegalArgumentError for an option the format does not have, naming the nearest.
   */
  load<Row = R>(paths: string | readonly string[]): DataFrame<Row> {
    const list = typeof paths === "string" ? [paths] : [...paths];
    if (list.length === 0) throw new IllegalArgumentError("load needs at least one path.");
    const format = this.format_;
    return new DataFrame<Row>(
      {
        op: "read",
        format,
        paths: list,
        options: checkedOptions(format, READ_OPTIONS[format], this.options_),
        ...(this.schema_ ? { schema: this.schema_ } : {}),
      },
      this.runtime,
      this.frameOptions,
    );
  }

  /** Parquet files and folders of them. */
  parquet<Row = AnyRow>(...paths: readonly string[]): DataFrame<Row> {
    return this.format("parquet").load<Row>(paths);
  }

  /** JSON files and folders of them: a value a line, or with the option `multiLine` a value a file. */
  json<Row = AnyRow>(...paths: readonly string[]): DataFrame<Row> {
    return this.format("json").load<Row>(paths);
  }

  /** Text files: a row a line, in the column `value`. */
  text(...paths: readonly string[]): DataFrame<{ value: string }> {
    return this.format("text").load<{ value: string }>(paths);
  }

  /** CSV files and folders of them. Spark's defaults: no header, every column a string. */
  csv<Row = AnyRow>(...paths: readonly string[]): DataFrame<Row> {
    return this.format("csv").load<Row>(paths);
  }
}
