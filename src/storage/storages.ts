import { localStorage } from "./local-storage";
import { parseLocation } from "./location";
import type { Storage } from "./storage";

/** The storage that serves a path or URL. */
export function storageFor(url: string): Storage {
  switch (parseLocation(url).scheme) {
    case "file":
      return localStorage;
  }
}
