export { DiskFullError, PathNotFoundError, StorageAccessError, StorageError } from "./errors";
export type { FileStatus, ListOptions, Storage } from "./storage";
export { storageFor } from "./storages";
