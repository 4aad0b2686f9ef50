import type { Session } from "../session/session";
import { Session as Sessions } from "../session/session";
import type { CommandContext } from "./command";

/** Runs a command's work with a session that is stopped afterwards, whatever happens. */
export async function withSession<T>(context: CommandContext, use: (session: Session) => Promise<T>): Promise<T> {
  const { master, quiet } = context.options;
  const session = await Sessions.builder()
    .appName("pomona")
    .master(String(master ?? "local[*]"))
    .config("pomona.progress", quiet ? "off" : "console")
    .getOrCreate();
  try {
    return await use(session);
  } finally {
    await session.stop();
  }
}
