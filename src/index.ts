export { arrayType, type DataType, type StructField, type StructType, structField, structType } from "./data/types";
export type { EngineEvent, EventListener } from "./engine/events";
export { CancelledError, IllegalArgumentError, PomonaError } from "./errors";
export { DataFrame } from "./frame/dataframe";
export { type SyntheticFruitsOptions, writeSyntheticFruits } from "./image/synthetic";
export { Session, SessionBuilder } from "./session/session";
export { formatReport, type ValidateOptions, type ValidationReport, validate } from "./session/validate";
export {
  type CopyProgress,
  type CopyTreeOptions,
  type CopyTreeResult,
  copyTree,
  OverlappingPathsError,
} from "./storage/copy-tree";
export { VERSION } from "./version";
