import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, link, mkdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { EndpointTokenError, readToken } from "../engine/jupyter/endpoint-token";
import { cacheFolder } from "../kernel/cache-folder";

/** Where a worker's token is where no file is named: one for each user, so that machines with a shared home have the same. */
export const defaultTokenFile = (): string => join(cacheFolder(), "endpoint-token");

/**
 * Gives a token file, which is made with a new token and mode 600 where there is none.
 * @throws EndpointTokenError where its content is no token
 */
export async function tokenFile(
  named: string | undefined,
  note: (text: string) => void,
): Promise<{ file: string; isNew: boolean }> {
  const file = resolve(named ?? defaultTokenFile());
  const isNew = await make(file);
  readToken(file);
  const mode = (await stat(file)).mode & 0o777;
  if ((mode & 0o077) !== 0)
    note(`Others can read the token: ${file} has mode ${mode.toString(8)}; chmod 600 mends that.`);
  return { file, isNew };
}

/** Whether {@link tokenFile} would take what is there; nothing is made. @throws EndpointTokenError where it would not */
export function checkTokenFile(named: string | undefined): void {
  const file = resolve(named ?? defaultTokenFile());
  if (existsSync(file)) readToken(file);
}

/** Whole or not at all, since others may be starting too. */
async function make(file: string): Promise<boolean> {
  if (await stat(file).catch(() => undefined)) return false;
  const draft = `${file}.${process.pid}`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(draft, `${randomBytes(24).toString("hex")}\n`, { mode: 0o600, flag: "wx" });
    await chmod(draft, 0o600);
    await link(draft, file);
    return true;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    throw new EndpointTokenError(`No token file can be made at ${file}: ${code ?? message}.`, { cause: error });
  } finally {
    await rm(draft, { force: true });
  }
}
