import { urlOf } from "../../storage";
import { localPath } from "../../storage/location";

/** A path as Spark is told it. */
export type SparkPath = (path: string) => string;

const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/i;

/**
 * How paths are told to a server. One on this machine sees the same files, so that what has no scheme is a file here, as on other
 * engines; to a server elsewhere such a path is told as it is, and means what its file system makes of it.
 * @param host of the server
 * @param isSail to Sail a file is its path alone
 */
export function sparkPaths(host: string, isSail: () => boolean): SparkPath {
  const isHere = LOOPBACK.test(host);
  const hasScheme = (path: string) => /^[a-z][a-z0-9+.-]+:/i.test(path);
  return (path) => {
    if (!isHere && !hasScheme(path)) return path;
    const url = urlOf(path);
    return isSail() && url.startsWith("file:") ? localPath(url) : url;
  };
}
