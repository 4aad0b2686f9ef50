import type { Place } from "../../src/storage";
import { localStorage } from "../../src/storage/local-storage";
import { urlOf } from "../../src/storage/location";

/** A file on this machine, as readers and writers take it. */
export function localFile(path: string): Place {
  return { url: urlOf(path), storage: localStorage };
}
