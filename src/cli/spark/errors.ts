import { PomonaError } from "../../errors";

/** Spark, or what it needs, could not be installed; the message says why. */
export class SparkInstallError extends PomonaError {}

/** There is no Java, or none that this Spark runs on. */
export class JavaMissingError extends PomonaError {}

/** A Spark server did not start. */
export class SparkStartError extends PomonaError {}

/** There is no such Spark server. */
export class NoSparkServerError extends PomonaError {}

/** What failed on the disk, of what was to be written into the cache folder, by a name; any other error as it is. */
export function asInstallError(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof PomonaError || typeof code !== "string" || !(code in REMEDIES)) return error;
  return new SparkInstallError(`Nothing can be written: ${message}.`, { cause: error, remedy: REMEDIES[code] ?? "" });
}

const ELSEWHERE = "POMONA_CACHE_DIR may name a folder elsewhere.";
const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: `The disk is full: make room. ${ELSEWHERE}`,
  EDQUOT: `The disk's quota is used up: make room. ${ELSEWHERE}`,
  EACCES: ELSEWHERE,
  EPERM: ELSEWHERE,
  EROFS: ELSEWHERE,
  ENOTDIR: ELSEWHERE,
  ENOENT: ELSEWHERE,
};
