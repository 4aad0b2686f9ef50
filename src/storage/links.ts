import { realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { baseName, locationUrl, parseLocation } from "./location";

/** The URL with symbolic links followed, as far down as the path exists. */
export async function resolveLinks(url: string): Promise<string> {
  const { scheme, path } = parseLocation(url);
  const resolved = await realpath(path).catch(() => undefined);
  if (resolved !== undefined) return locationUrl({ scheme, path: resolved });
  const parent = dirname(path);
  if (parent === path) return url;
  const above = parseLocation(await resolveLinks(locationUrl({ scheme, path: parent })));
  return locationUrl({ scheme, path: join(above.path, baseName(path)) });
}
