import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Where files are kept that can be made or downloaded anew: `POMONA_CACHE_DIR`, else `pomona` in `XDG_CACHE_HOME`, else
 * `~/.cache/pomona`.
 * @param variables of the process that it is for. @default this one's
 */
export function cacheFolder(variables: NodeJS.ProcessEnv = process.env): string {
  return variables.POMONA_CACHE_DIR || join(variables.XDG_CACHE_HOME || join(homedir(), ".cache"), "pomona");
}
