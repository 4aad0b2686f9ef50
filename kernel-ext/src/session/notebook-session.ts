import { randomUUID } from "node:crypto";
import type { Session } from "pomona";
import { JUPYTER_DISPLAY, type KernelHost } from "pomona/kernel";
import { SessionBusyError } from "../magics/errors";
import { type SessionSettings, withSettings } from "./session-settings";

/** The session of a notebook: the one it started itself, or the one that the first use of `session` starts. */
export interface NotebookSession {
  /** The session that runs; starts one, and shows its table, where there is none. */
  get(): Session;
  /** The session that runs, if there is one. */
  active(): Session | undefined;
  /**
   * Takes settings for the next session. With `force` a session that runs is stopped and started anew.
   * @throws ConfigureError, IllegalArgumentError for what can't be set, before anything is stopped
   * @throws SessionBusyError without `force` while a session runs
   */
  configure(settings: SessionSettings, options?: { readonly force?: boolean }): Promise<void>;
  /** Ends the session; false where none runs. */
  stop(): Promise<boolean>;
  /** What this notebook's sessions said, the latest last. */
  log(): readonly string[];
}

/** Lines of sessions that ended which are kept. */
const MOST_LINES = 1_000;

/** The package, loaded at the first use: a kernel has to be ready before that. */
const pomona = () => require("pomona") as typeof import("pomona");

const isLoaded = () => require.resolve("pomona") in require.cache;

/** Shows a session, and again as it becomes ready: an engine elsewhere is connected to by the first job. */
function showTable(host: KernelHost, session: Session): void {
  const transient = { display_id: `pomona-session-${randomUUID()}` };
  host.display({ data: session[JUPYTER_DISPLAY](), transient }, false);
  if (session.state !== "starting") return;
  const end = session.onEvent((event) => {
    if (event.type !== "engineState") return;
    host.display({ data: session.shown(), transient }, true);
    if (event.state === "idle" || event.state === "stopped") end();
  });
}

export function notebookSession(host: KernelHost): NotebookSession {
  let ended: readonly string[] = [];

  const active = () => (isLoaded() ? pomona().Session.getActiveSession() : undefined);

  const get = () => {
    const running = active();
    if (running) return running;
    const started = pomona().Session.builder().getOrCreateSync();
    showTable(host, started);
    console.log("Session available as 'session'.");
    return started;
  };

  const stop = async () => {
    const running = active();
    if (!running) return false;
    await running.stop();
    ended = [...ended, ...running.log()].slice(-MOST_LINES);
    return true;
  };

  return {
    get,
    active,
    stop,
    log: () => [...ended, ...(active()?.log() ?? [])].slice(-MOST_LINES),
    async configure(settings, { force = false } = {}) {
      const running = active();
      if (running && !force) {
        throw new SessionBusyError("A session runs, and its settings are fixed by its start.", {
          remedy:
            "Use %%configure -f to stop it and start it anew. Views, cached rows and jobs that run are lost then.",
        });
      }
      withSettings(pomona().Session.builder(), settings).setDefaults();
      if (await stop()) get();
    },
  };
}
