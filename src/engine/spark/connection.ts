import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import type { GrpcTransportOptions } from "@connectrpc/connect-node";

type SessionManager = NonNullable<GrpcTransportOptions["sessionManager"]>;

/** One HTTP/2 connection, made when it is needed and made anew after it broke. It keeps the process alive while a request is open, and not otherwise. */
export interface Connection extends SessionManager {
  /** When something last came from the server, as `Date.now()`. */
  readonly heardAt: number;
  /** Ends the connection and with it the requests on it; the next request makes a new one. */
  cut(why: string): void;
}

/** For how long a host may stay silent. */
const CONNECT_TIMEOUT_MS = 10_000;

/** What may be on its way without having been read: at 64 kB, HTTP/2's own default, a distant server is slow. */
const WINDOW_BYTES = 8 << 20;

export function openConnection(baseUrl: string): Connection {
  let current: Promise<ClientHttp2Session> | undefined;
  let heardAt = 0;

  const forget = (session: Promise<ClientHttp2Session>) => {
    if (current === session) current = undefined;
  };
  const open = (): Promise<ClientHttp2Session> => {
    if (current !== undefined) return current;
    const opening = connected(baseUrl).then((session) => {
      // A server that goes away takes nothing new, and ends what it has.
      session.on("goaway", () => forget(opening));
      session.on("close", () => forget(opening));
      return session;
    });
    opening.catch(() => forget(opening));
    current = opening;
    return opening;
  };

  return {
    authority: new URL(baseUrl).origin,
    get heardAt() {
      return heardAt;
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
    cut(why: string) {
      const cutOff = current;
      current = undefined;
      cutOff?.then(
        (session) => session.destroy(new ConnectError(why, Code.Unavailable)),
        () => undefined,
      );
    },
  };
}

function connected(baseUrl: string): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = connect(baseUrl, { settings: { initialWindowSize: WINDOW_BYTES, enablePush: false } });
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

/** Keeps the process alive while the stream is open. */
function follow(session: ClientHttp2Session, stream: ClientHttp2Stream): ClientHttp2Stream {
  const count = (open.get(session) ?? 0) + 1;
  open.set(session, count);
  if (count === 1) session.ref();
  stream.once("close", () => {
    const left = open.get(session)! - 1;
    open.set(session, left);
    if (left === 0 && !session.destroyed) session.unref();
  });
  return stream;
}

/** Streams of each session. */
const open = new WeakMap<ClientHttp2Session, number>();
