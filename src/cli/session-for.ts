import { IllegalArgumentError } from "../errors";
import type { Session } from "../session/session";
import { type Storages, storageSettings, storagesFrom } from "../storage";
import { type CommandContext, checkedOption, UsageError } from "./command";

/** Runs a command's work with a session that is stopped afterwards, whatever happens. */
export async function withSession<T>(context: CommandContext, use: (session: Session) => Promise<T>): Promise<T> {
  const { quiet } = context.options;
  const master = String(context.options.master ?? "local[*]");
  // Loaded here, since commands without a session need no engine.
  const { checkMaster } = await import("../engine/engines");
  checkedOption("master", () => checkMaster(master));
  const settings = givenSettings(context);
  const { Session: Sessions } = await import("../session/session");
  const session = await Sessions.builder()
    .appName("pomona")
    .master(master)
    .config("pomona.progress", quiet ? "off" : "console")
    .config(settings)
    .getOrCreate()
    .catch((error: unknown) => {
      // Only what was given can be wrong.
      if (!(error instanceof IllegalArgumentError) || Object.keys(settings).length === 0) throw error;
      throw new UsageError(`--conf: ${error.message}`, { cause: error });
    });
  try {
    return await use(session);
  } finally {
    await session.stop();
  }
}

/** The storages of a command that needs no session. */
export function storagesForCommand(context: CommandContext): Storages {
  return storagesFrom(storageSettings(givenSettings(context)));
}

/** The settings of `--conf NAME=VALUE`. @throws UsageError, without the value, which may be a secret */
export function givenSettings({ options }: CommandContext): Readonly<Record<string, string>> {
  const given = (options.conf as string[] | undefined) ?? [];
  return Object.fromEntries(
    given.map((text) => {
      const equals = text.indexOf("=");
      if (equals > 0) return [text.slice(0, equals).trim(), text.slice(equals + 1)];
      throw new UsageError("--conf takes NAME=VALUE.", {
        remedy: "Such as --conf fs.s3a.endpoint=http://localhost:7070.",
      });
    }),
  );
}
