import { type Storages, storagesFrom } from "./storages";

/** Those of the session that runs: the one value that is not handed down, for who has no session and reads what users name. */
let active: Storages | undefined;

/** One value, since whoever asks twice compares storages. */
let withoutSettings: Storages | undefined;

/** The storages of the session that runs; without one, those that need no settings. */
export function activeStorages(): Storages {
  withoutSettings ??= storagesFrom();
  return active ?? withoutSettings;
}

/** Called by the session that begins, and with nothing by the one that ends. */
export function setActiveStorages(storages: Storages | undefined): void {
  active = storages;
}
