import { checkedOptions, type OptionValue, saveMode, WRITE_OPTIONS, type WriteOption, writeFormat } from "./options";
import type { Plan } from "./plan";
import type { Runtime, SaveMode, Sink, WriteResult } from "./runtime";
import { shownShort } from "./write-result";

/**
 * Writes a DataFrame to files. The work starts at `parquet`, `csv` or `save`.
 * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/io.html
 */
export class DataFrameWriter {
  private readonly options_ = new Map<string, OptionValue>();
  private mode_: SaveMode = "errorifexists";
  private format_: Sink["format"] = "parquet";
  private partitionBy_: readonly string[] = [];

  constructor(
    private readonly plan: Plan,
    private readonly runtime: Runtime,
  ) {}

  /**
   * What to do where there is data already: `errorifexists`, `overwrite` (it goes when the new data is there, not before),
   * `append` or `ignore`. @default "errorifexists"
   * @throws IllegalArgumentError for an unknown one, naming the nearest.
   */
  mode(mode: SaveMode | "error" | (string & {})): this {
    this.mode_ = saveMode(mode);
    return this;
  }

  /** The files' format. @default "parquet" @throws IllegalArgumentError for an unknown one, naming the nearest. */
  format(format: Sink["format"] | (string & {})): this {
    this.format_ = writeFormat(format);
    return this;
  }

  /** One option, such as `compression` for Parquet or `header` for CSV. */
  option(name: WriteOption | (string & {}), value: OptionValue): this {
    this.options_.set(name, value);
    return this;
  }

  /** Several options. */
  options(options: Readonly<Record<string, OptionValue>>): this {
    for (const [name, value] of Object.entries(options)) this.option(name, value);
    return this;
  }

  /**
   * Puts rows into folders by the values of these columns, `label=Apple/part-...`; the files are without them. Each folder's
   * rows stand together, so that it has few files.
   * @see https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.DataFrameWriter.partitionBy.html
   */
  partitionBy(...columns: readonly (string | readonly string[])[]): this {
    this.partitionBy_ = columns.flat();
    return this;
  }

  /** Writes Parquet files into the folder `path`. */
  parquet(path: string, options: { signal?: AbortSignal } = {}): Promise<WriteResult> {
    return this.format("parquet").save(path, options);
  }

  /** Writes JSON files into the folder `path`: an object a line. */
  json(path: string, options: { signal?: AbortSignal } = {}): Promise<WriteResult> {
    return this.format("json").save(path, options);
  }

  /** Writes text files into the folder `path`: the only column, a string, a row a line. */
  text(path: string, options: { signal?: AbortSignal } = {}): Promise<WriteResult> {
    return this.format("text").save(path, options);
  }

  /** Writes CSV files into the folder `path`. */
  csv(path: string, options: { signal?: AbortSignal } = {}): Promise<WriteResult> {
    return this.format("csv").save(path, options);
  }

  /**
   * Writes files into the folder `path`; they become visible all at once.
   * @throws IllegalArgumentError for an option the format does not have, naming the nearest.
   */
  async save(path: string, options: { signal?: AbortSignal } = {}): Promise<WriteResult> {
    const sink: Sink = {
      format: this.format_,
      path,
      mode: this.mode_,
      options: checkedOptions(this.format_, WRITE_OPTIONS[this.format_], this.options_),
      ...(this.partitionBy_.length > 0 ? { partitionBy: this.partitionBy_ } : {}),
    };
    return shownShort(await this.runtime.write(this.plan, sink, options.signal));
  }
}
