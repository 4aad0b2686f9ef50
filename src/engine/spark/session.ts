import { randomUUID } from "node:crypto";
import type { SessionFields } from "./execution";

/** A session on the server, as this client knows it. */
export interface ServerSession {
  readonly id: string;
  /** What the server calls it; another one means that it was made anew. Undefined where it does not say: Spark 3.5, Sail. */
  serverSideId: string | undefined;
  /** What is being uploaded or was, by name. */
  readonly uploads: Map<string, Promise<void>>;
  /** Set once the session is as its owner wants it. */
  prepared: Promise<void> | undefined;
  /** When it was last known to be there, and by which connection. */
  confirmed: { at: number; connection: number };
}

export function newSession(id: string = randomUUID()): ServerSession {
  return { id, serverSideId: undefined, uploads: new Map(), prepared: undefined, confirmed: { at: 0, connection: 0 } };
}

/**
 * Takes what a response says of its session.
 * @returns false where the server has made it anew, with nothing in it
 */
export function isSame(session: ServerSession, serverSideId: string): boolean {
  // Sail gives the client's own id back, before and after a restart.
  if (serverSideId === "" || serverSideId === session.id) return true;
  session.serverSideId ??= serverSideId;
  return session.serverSideId === serverSideId;
}

/** A setting that a session has while it is the same, for servers that do not say whether it is. */
export const MARK = "spark.pomona.session";

/** Spark 3.5 forgets a session an hour after its last use, and makes one of the same name without a word. */
const SURE_FOR_MS = 5 * 60_000;

/** True where the server may have made the session anew without saying so: after another connection, or a time without use. */
export function isInDoubt(session: ServerSession, connection: number): boolean {
  if (session.serverSideId !== undefined) return false;
  return session.confirmed.connection !== connection || Date.now() - session.confirmed.at > SURE_FOR_MS;
}

export function fieldsOf(session: ServerSession, user: string, clientType: string): SessionFields {
  return {
    sessionId: session.id,
    userContext: { userId: user, userName: user },
    clientType,
    ...(session.serverSideId === undefined ? {} : { clientObservedServerSideSessionId: session.serverSideId }),
  };
}
