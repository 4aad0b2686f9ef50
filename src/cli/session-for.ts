import { parseLocalMaster } from "../engine/embedded/local-master";
import type { Session } from "../session/session";
import { Session as Sessions } from "../session/session";
import { type CommandContext, checkedOption } from "./command";

/** Runs a command's work with a session that is stopped afterwards, whatever happens. */
export async function withSession<T>(context: CommandContext, use: (session: Session) => Promise<T>): Promise<T> {
  const { quiet } = context.options;
  const master = String(context.options.master ?? "local[*]");
  checkedOption("master", () => parseLocalMaster(master));
  const session = await Sessions.builder()
    .appName("pomona")
    .master(master)
    .config("pomona.progress", quiet ? "off" : "console")
    .getOrCreate();
  try {
    return await use(session);
  } finally {
    await session.stop();
  }
}
