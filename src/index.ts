export { arrayType, type DataType, type StructField, type StructType, structField, structType } from "./data/types";
export type { EngineEvent, EventListener } from "./engine/events";
export { CancelledError, IllegalArgumentError, PomonaError } from "./errors";
export { DataFrame } from "./frame/dataframe";
export { Session, SessionBuilder } from "./session/session";
export { VERSION } from "./version";
