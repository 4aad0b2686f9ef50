export { arrayType, type DataType, type StructField, type StructType, structField, structType } from "./data/types";
export type { EndpointOptions, WorkerMachine } from "./engine/contract";
export { ExecutionError, OutputInsideInputError, SessionStoppedError } from "./engine/errors";
export type { EndStatus, EngineEvent, EventListener } from "./engine/events";
export {
  EndpointAccessError,
  EndpointCertificateError,
  EndpointError,
  EndpointFilesError,
  EndpointKernelError,
  EndpointUnavailableError,
  EndpointUnreachableError,
  EndpointVersionError,
  NotJupyterError,
} from "./engine/jupyter/errors";
export { TaskFailedError } from "./engine/scheduler/errors";
export { CancelledError, IllegalArgumentError, OptionalPackageError, PomonaError } from "./errors";
export {
  AmbiguousColumnError,
  AnalysisError,
  DuplicateColumnError,
  ForeignColumnError,
  UnresolvedColumnError,
} from "./frame/analysis-error";
export type { Column } from "./frame/column";
export { type ActionOptions, DataFrame, type ShowOptions } from "./frame/dataframe";
export type { BinaryFileRow } from "./frame/reader";
export type { AnyRow, OpenRow } from "./frame/row-types";
export type { SaveMode, WriteResult } from "./frame/runtime";
export { CorruptImageError, ImageTooLargeError } from "./image/errors";
export { type SyntheticFruitsOptions, writeSyntheticFruits } from "./image/synthetic";
export { type KeptMemo, type Memo, MemoKeyError, type MemoOptions, MemoValueError, memo } from "./memo";
export { WeightsShapeError } from "./networks/weights";
export { WeightsUnavailableError } from "./networks/weights-lookup";
export { CorruptParquetError, EncryptedParquetError, UnsupportedParquetError } from "./parquet";
export type { JobRecord, SessionReport, StageRecord } from "./record";
export { RuntimeConfig, SETTINGS, type SettingName, type SettingValue } from "./session/configuration";
export { Session, SessionBuilder } from "./session/session";
export { SparkConf } from "./session/spark-conf";
export { NotHereError } from "./session/spark-context";
export { SparkContext, SparkSession, type SparkSessionBuilder } from "./session/spark-session";
export { type ValidateOptions, validate } from "./session/validate";
export { formatReport, type ValidationReport } from "./session/validation-report";
export type { WorkerRecord } from "./session/worker-table";
export { DiskFullError, PathNotFoundError, StorageAccessError, StorageError } from "./storage";
export {
  ConcurrentWriteError,
  ForeignFilesError,
  IncompleteWriteError,
  PathAlreadyExistsError,
} from "./storage/commit";
export { ImpossibleNameError } from "./storage/copy-names";
export {
  type CopyProgress,
  type CopyTreeOptions,
  type CopyTreeResult,
  copyTree,
  OverlappingPathsError,
} from "./storage/copy-tree";
export { BroadcastValueError, CapturedVariableError, ImportBundleError } from "./user-functions";
export { Broadcast } from "./user-functions/broadcast-variable";
export { VERSION } from "./version";
