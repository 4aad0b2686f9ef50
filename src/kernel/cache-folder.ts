import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Where files are kept that can be made or downloaded anew: `POMONA_CACHE_DIR`, else `pomona` in `XDG_CACHE_HOME`, else
 * `~/.cache/pomona`.
 */
export function cacheFolder(): string {
  return process.env.POMONA_CACHE_DIR || join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "pomona");
}
