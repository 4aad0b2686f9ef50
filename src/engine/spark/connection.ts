import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import type { GrpcTransportOptions } from "@connectrpc/connect-node";

type SessionManager = NonNullable<GrpcTransportOptions["sessionManager"]>;

/** One HTTP/2 connection, made when it is needed and made anew after it broke. It keeps the process alive while a request is open, and not otherwise. */
export interface Connection extends SessionManager {
  /** The number of the connection that the next request goes by, whether it is there already or has to be made. */
  readonly number: number;
  /** Ends the connection and with it the requests on it; the next request makes a new one. */
  cut(why: string): void;
}

/** For how long a host may stay silent. */
const CONNECT_TIMEOUT_MS = 10_000;

/** What may be on its way without having been read: at 64 kB, HTTP/2's own default, a distant server is slow. */
const WINDOW_BYTES = 8 << 20;

/** Above this Node refuses new requests and the answers of those there are. Its default, 10, is less than one large plan on its way. */
const SESSION_MEGABYTES = 8192;

/** While requests are open and nothing comes for so long, the server is asked whether it is there. */
const SILENCE_MS = 10_000;

/** How long it has for an answer. */
const PROBE_MS = 15_000;

/**
 * @param probe asks the server for something small. Not HTTP/2's own ping: a proxy would answer it, a gRPC server ends a connection with too many
 * of them, and a request also keeps what is in between from ending an idle connection
 */
export function openConnection(baseUrl: string, probe: (timeoutMs: number) => Promise<unknown>): Connection {
  let current: Promise<ClientHttp2Session> | undefined;
  let made = 0;
  let isOpen = false;
  let heardAt = 0;
  let streams = 0;
  let watching: NodeJS.Timeout | undefined;

  const forget = (session: Promise<ClientHttp2Session>) => {
    if (current !== session) return;
    current = undefined;
    isOpen = false;
  };
  const open = (): Promise<ClientHttp2Session> => {
    if (current !== undefined) return current;
    const opening = connected(baseUrl).then((session) => {
      made++;
      isOpen = true;
      // A server that goes away takes nothing new, and ends what it has.
      session.on("goaway", () => forget(opening));
      session.on("close", () => forget(opening));
      return session;
    });
    opening.catch(() => forget(opening));
    current = opening;
    return opening;
  };

  const cut = (why: string) => {
    const cutOff = current;
    current = undefined;
    isOpen = false;
    cutOff?.then(
      (session) => session.destroy(new ConnectError(why, Code.Unavailable)),
      () => undefined,
    );
  };
  const watch = async () => {
    if (streams === 0) return;
    const last = heardAt;
    if (Date.now() - last >= SILENCE_MS) {
      await probe(PROBE_MS).catch(() => undefined);
      if (heardAt === last && streams > 0) cut(`nothing came for ${Math.round((Date.now() - last) / 1000)} s`);
    }
    rest();
  };
  const rest = () => {
    clearTimeout(watching);
    watching = setTimeout(watch, SILENCE_MS / 4).unref();
  };
  const follow = (session: ClientHttp2Session, stream: ClientHttp2Stream) => {
    if (openStreams(session, 1) === 1) session.ref();
    if (streams++ === 0) {
      heardAt = Date.now();
      rest();
    }
    stream.once("close", () => {
      streams--;
      if (openStreams(session, -1) === 0 && !session.destroyed) session.unref();
    });
    return stream;
  };

  return {
    authority: new URL(baseUrl).origin,
    get number() {
      return isOpen ? made : made + 1;
    },
    async request(method: string, path: string, headers: OutgoingHttpHeaders): Promise<ClientHttp2Stream> {
      for (let tries = 0; ; tries++) {
        const opening = open();
        const session = await opening;
        try {
          return follow(session, session.request({ ...headers, ":method": method, ":path": path }));
        } catch (error) {
          // It closed since; nothing was sent.
          forget(opening);
          if (tries > 0 || !(session.closed || session.destroyed)) throw error;
        }
      }
    },
    notifyResponseByteRead() {
      heardAt = Date.now();
    },
    cut,
  };
}

function connected(baseUrl: string): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = connect(baseUrl, {
      settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
      maxSessionMemory: SESSION_MEGABYTES,
    });
    const fail = (error: Error) => {
      clearTimeout(timer);
      session.destroy();
      reject(ConnectError.from(error, Code.Unavailable));
    };
    const timer = setTimeout(
      () => fail(new Error(`no answer within ${CONNECT_TIMEOUT_MS / 1000} s`)),
      CONNECT_TIMEOUT_MS,
    );
    session.once("error", fail);
    session.once("close", () => fail(new Error("the connection was closed at once")));
    // Its settings are an HTTP/2 server's first word: something else that listens there says none.
    session.once("remoteSettings", () => {
      clearTimeout(timer);
      session.off("error", fail);
      // What breaks it is told by its streams.
      session.on("error", () => undefined);
      session.setLocalWindowSize(WINDOW_BYTES);
      session.unref();
      resolve(session);
    });
  });
}

const counts = new WeakMap<ClientHttp2Session, number>();

/** Counts the open streams of a session. */
function openStreams(session: ClientHttp2Session, more: 1 | -1): number {
  const count = (counts.get(session) ?? 0) + more;
  counts.set(session, count);
  return count;
}
