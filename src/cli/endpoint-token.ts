import { randomBytes } from "node:crypto";
import { chmod, link, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { PomonaError } from "../errors";
import { cacheFolder } from "../kernel/cache-folder";
import { PathNotFoundError } from "../storage";

/** A token file holds no token that an endpoint can be used with. */
export class EndpointTokenError extends PomonaError {}

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
  await readToken(file);
  const mode = (await stat(file)).mode & 0o777;
  if ((mode & 0o077) !== 0)
    note(`Others can read the token: ${file} has mode ${mode.toString(8)}; chmod 600 mends that.`);
  return { file, isNew };
}

/** The token in a file. @throws EndpointTokenError, PathNotFoundError */
export async function readToken(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") throw new PathNotFoundError(`There is no token file ${file}.`, file);
    throw new EndpointTokenError(`${file} cannot be read: ${error.code ?? error.message}.`, { cause: error });
  });
  const token = text.trim();
  // What a header can carry.
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new EndpointTokenError(`${file} holds no token.`, {
    remedy: "Write one line into it, without spaces; or remove it, and a worker makes it anew.",
  });
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
