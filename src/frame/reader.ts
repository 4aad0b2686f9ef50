import type { StructType } from "../data/types";
import { IllegalArgumentError } from "../errors";
import { IMAGE_TYPE } from "../image/image-type";
import { Column, columnReference } from "./column";
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

/**
 * The column of format `image`. What is no image has a height, width, nChannels and mode of -1 and no data; option
 * `dropInvalid` leaves such rows out.
 * @see https://spark.apache.org/docs/latest/ml-datasource.html#image-data-source
 */
export interface ImageRow {
  readonly image: {
    readonly origin: string;
    readonly height: number;
    readonly width: number;
    /** 1: grey, 3: blue, green, red, 4: the same and alpha. */
    readonly nChannels: number;
    /** OpenCV's type of the pixels: 0 (CV_8UC1), 16 (CV_8UC3) or 24 (CV_8UC4). */
    readonly mode: number;
    /** The pixels, row by row from the top. */
    readonly data: Uint8Array;
  };
}

/** The row type a format gives. */
export type RowOfFormat<F> = F extends "binaryFile" ? BinaryFileRow : F extends "image" ? ImageRow : AnyRow;

/** Paths, or lists of them as PySpark takes them. */
type Paths = readonly (string | readonly string[])[];

/**
 * Reads files into a DataFrame; nothing is read before an action, but the options are checked at once.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/io.html
 */
export class DataFrameReader<R = AnyRow> {
  private readonly options_ = new Map<string, OptionValue>();
  private format_: ReadFormat | "image" = "parquet";
  private schema_: StructType | undefined;

  constructor(
    private readonly runtime: Runtime,
    private readonly frameOptions: FrameOptions = {},
  ) {}

  /**
   * The files' format. @default "parquet"
   * @throws IllegalArgumentError for an unknown one, naming the nearest.
   */
  format<const F extends ReadFormat | "image" | (string & {})>(format: F): DataFrameReader<RowOfFormat<F>> {
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
    if (format === "image") return this.images(list) as unknown as DataFrame<Row>;
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

  /** The files' images and nothing else of them, beside the columns of their folders. */
  private images(paths: readonly string[]): DataFrame<AnyRow> {
    const { dropInvalid, ...options } = checkedOptions("image", READ_OPTIONS.image, this.options_);
    if (this.schema_) {
      throw new IllegalArgumentError("Format image has columns of its own, and takes no schema.", {
        remedy: "Leave the schema out, and select the columns that you want.",
      });
    }
    const files = new DataFrame<AnyRow>(
      { op: "read", format: "binaryFile", paths, options },
      this.runtime,
      this.frameOptions,
    );
    const image = new Column({
      kind: "batch",
      fn: { kind: "builtin", name: "image.source", params: {} },
      args: [columnReference("content"), columnReference("path")],
      returns: IMAGE_TYPE,
      onError: { kind: "fail" },
    });
    const images = files.select(image.alias("image"), "*").drop("path", "modificationTime", "length", "content");
    const kept = dropInvalid === "true" ? images.filter(new Column(columnReference("image.height")).geq(0)) : images;
    return kept as unknown as DataFrame<AnyRow>;
  }

  /** Parquet files and folders of them. */
  parquet<Row = AnyRow>(...paths: Paths): DataFrame<Row> {
    return this.format("parquet").load<Row>(paths.flat());
  }

  /** JSON files and folders of them: a value a line, or with the option `multiLine` a value a file. */
  json<Row = AnyRow>(...paths: Paths): DataFrame<Row> {
    return this.format("json").load<Row>(paths.flat());
  }

  /** Text files: a row a line, in the column `value`. */
  text(...paths: Paths): DataFrame<{ value: string }> {
    return this.format("text").load<{ value: string }>(paths.flat());
  }

  /** CSV files and folders of them. Spark's defaults: no header, every column a string. */
  csv<Row = AnyRow>(...paths: Paths): DataFrame<Row> {
    return this.format("csv").load<Row>(paths.flat());
  }
}
