import { type Client, Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { firstLine } from "../../errors";
import { Secret } from "../../secret";
import type { ConnectAddress } from "./connect-url";
import { type Connection, openConnection } from "./connection";
import { SparkConnectService } from "./protos/spark/connect/base_pb";

/** Calls to one server, with the headers it wants. */
export interface Channel {
  readonly calls: Client<typeof SparkConnectService>;
  readonly connection: Connection;
  readonly hasToken: boolean;
  /** Has the token asked for again before the next call. False where none can be had. */
  forgetToken(): boolean;
}

/** As if it were refused, but it is asked for once only. */
const NO_TOKEN = Code.Unauthenticated;

/** The most that one message may have; a row can't be divided. */
const READ_MAX_BYTES = 1 << 30;

/**
 * @param token fetches the token, before the first call and whenever the one there is was refused; the address's own where absent
 * @param probe a small call to the server, by which it is known to be there
 */
export function openChannel(
  address: ConnectAddress,
  token: (() => Promise<string>) | undefined,
  probe: (timeoutMs: number) => Promise<unknown>,
): Channel {
  const connection = openConnection(address.baseUrl, probe);
  let held: Promise<Secret> | undefined;
  const currentToken = (): Promise<Secret | undefined> => {
    if (token === undefined) return Promise.resolve(address.token);
    held ??= fetched(token);
    held.catch(() => {
      held = undefined;
    });
    return held;
  };
  // For each request, so that a new token serves on a connection that is there.
  const withHeaders: Interceptor = (next) => async (request) => {
    for (const [name, value] of address.headers) request.header.set(name, value.reveal());
    const secret = await currentToken();
    if (secret !== undefined) request.header.set("authorization", `Bearer ${secret.reveal()}`);
    return next(request);
  };
  const transport = createGrpcTransport({
    baseUrl: address.baseUrl,
    sessionManager: connection,
    interceptors: [withHeaders],
    readMaxBytes: READ_MAX_BYTES,
    // Arrow's data is large and hardly gets smaller.
    acceptCompression: [],
  });
  return {
    calls: createClient(SparkConnectService, transport),
    connection,
    hasToken: token !== undefined || address.token !== undefined,
    forgetToken() {
      held = undefined;
      return token !== undefined;
    },
  };
}

async function fetched(token: () => Promise<string>): Promise<Secret> {
  const value = await token().catch((cause) => {
    throw new ConnectError(
      `the function for the token failed: ${firstLine(cause)}`,
      NO_TOKEN,
      undefined,
      undefined,
      cause,
    );
  });
  if (typeof value === "string" && /^[\x21-\x7e]+$/.test(value)) return new Secret(value);
  throw new ConnectError("the function for the token gave none: it must be ASCII without spaces", NO_TOKEN);
}
