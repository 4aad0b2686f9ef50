export { DiskFullError, PathNotFoundError, StorageAccessError, StorageError } from "./errors";
export { type FileStatus, type ListOptions, type Storage, storageFor } from "./storage";
