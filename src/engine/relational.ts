import type { StructField, StructType } from "../data/types";
import type { Plan } from "../frame/plan";
import type { FooterCache } from "../parquet";
import type { Storages, Url } from "../storage";
import type { ObservedRead } from "../storage/observed-reads";
import type { Resolved } from "./analyzer/attribute";
import type { ReadSettings } from "./files";
import type { FolderRange } from "./output-partitions";
import type { Lowered, Pipeline } from "./pipeline";
import type { Relation } from "./relation";
import type { FetchListener } from "./slow-query";
import type { Spool } from "./spool";

/** The relational half of an engine with tasks: knows sources, finds what a plan means, and makes rows of relations. */
export interface Relational {
  /** Looks up a plan's sources, finds what its names mean, and cuts it into stages. @throws AnalysisError, StorageError */
  analyze(plan: Plan, context: AnalysisContext): Promise<Analysis>;
  /** Which rows of a sorted Parquet file go to which folder `k=v`. @param columns named as in the file, with their names and types in the output */
  folderRanges(
    path: string,
    columns: readonly { readonly from: string; readonly field: StructField }[],
  ): Promise<FolderRange[]>;
  close(): Promise<void>;
}

/** What looking up a plan needs. */
export interface AnalysisContext {
  /** For listings and rows in memory. */
  readonly spool: Spool;
  readonly cached: CachedStages;
  readonly settings: ReadSettings;
  readonly footers: FooterCache;
  readonly storages: Storages;
  readonly signal: AbortSignal;
}

/** A plan whose sources were looked up and which is cut into stages; no work has been done. */
export interface Analysis {
  /** The columns of its root are called as outside, but that none comes twice. */
  readonly lowered: Lowered;
  /** What the result's columns are called, in order. Names may come twice. */
  readonly names: readonly string[];
  /** What is known of the frames that the plan caches, by id. */
  readonly cachedFrames: ReadonlyMap<string, Resolved>;
  /** Results of the stages that ran; the driver adds to it. */
  readonly staged: Map<string, StagedFiles>;
  /** What the plan reads, as its user wrote it. */
  readonly inputPaths: readonly string[];
  /** What it looked at to find that. */
  readonly reads: readonly ObservedRead[];
  /** Equal for two plans that compute the same from the same files. */
  fingerprint(more: unknown): string;
  /** Parses the text files among the sources; before it, queries over them have the right columns and no rows. */
  load(signal: AbortSignal, listener?: FetchListener): Promise<void>;
  /** The files of a leaf, where it is nothing but Parquet files. */
  filesOf(relation: Relation): DirectFiles | undefined;
  /** The schema of a pipeline's output as it is written: what the source gives may be null. @throws AnalysisError */
  schemaOf(pipeline: Pipeline): Promise<StructType>;
  /** The schema of a pipeline's output with what may be null in it, as Spark says it. @throws AnalysisError */
  knownSchemaOf(pipeline: Pipeline): Promise<StructType>;
  /** Writes columns of a relation into one Parquet file, in the relation's order. */
  copy(
    relation: Relation,
    columns: readonly Renamed[],
    path: string,
    signal: AbortSignal,
    listener?: FetchListener,
  ): Promise<void>;
  /** How the relational engine itself would compute columns of a relation, as text; nothing is read for it but what files say of themselves. */
  explain(relation: Relation, columns: readonly Renamed[]): Promise<string>;
}

/** A column, and what it is called in the result. */
export interface Renamed {
  readonly from: string;
  readonly as: string;
}

/** A Parquet file and how many rows it has. */
export interface CountedFile {
  readonly url: Url;
  readonly rows: number;
  /** Absent where nobody knows. */
  readonly bytes?: number;
  /** Which file it is, as its listing has it. */
  readonly version?: string;
}

/** A stage's result: Parquet files, in order. */
export interface StagedFiles {
  readonly schema: StructType;
  readonly files: readonly CountedFile[];
}

/** A stage that a session keeps, with what analysis knows of its columns. */
export interface CachedStage extends StagedFiles {
  readonly frame: Resolved;
  /** What its rows were made of. */
  readonly reads: readonly ObservedRead[];
}

/** The stages that a session keeps, by the id of their `cached` plan. */
export type CachedStages = Map<string, CachedStage>;

/** Files that tasks read without a copy, and the names that their columns have there, by position. */
export interface DirectFiles {
  readonly files: readonly CountedFile[];
  readonly names: readonly string[];
}
