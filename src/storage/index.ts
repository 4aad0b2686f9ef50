export { activeStorages } from "./active-storages";
export { DiskFullError, FileChangedError, PathNotFoundError, StorageAccessError, StorageError } from "./errors";
export { joinUrl, type Url, urlOf } from "./location";
export type { RetryListener, StorageRetry } from "./retries";
export {
  type FileStatus,
  type ListOptions,
  listed,
  type Place,
  type RangeSource,
  type Reading,
  rangeSource,
  type Storage,
  type StorageSettings,
} from "./storage";
export {
  isStorageSetting,
  type Storages,
  storageSettings,
  storages,
  storagesFrom,
} from "./storages";
