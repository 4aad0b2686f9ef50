import { readFileSync } from "node:fs";
import { PomonaError } from "../../errors";

/** There is no token that an endpoint can be used with: its file can't be read, or what is there is none. */
export class EndpointTokenError extends PomonaError {}

/** The token in a file. @throws EndpointTokenError, which repeats nothing of the file */
export function readToken(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new EndpointTokenError(`The token file ${file} can't be read: ${code ?? message}.`, {
      cause: error,
      ...(code === "ENOENT" ? { remedy: "Copy it from the endpoint's machine, where pomona worker has made it." } : {}),
    });
  }
  return checkToken(text.trim(), `The token file ${file}`);
}

/** @param where for the error: what holds it @throws EndpointTokenError, which does not repeat it */
export function checkToken(token: string, where: string): string {
  // What a header can carry.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new EndpointTokenError(`${where} holds no token.`, {
      remedy: "A token is one line of ASCII without spaces; pomona worker makes one where its file is missing.",
    });
  }
  if (token !== "***") return token;
  throw new EndpointTokenError(`${where} holds "***", which is what is shown in place of a token.`);
}
