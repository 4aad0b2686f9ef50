import { IllegalArgumentError } from "../../errors";
import { Secret } from "../../secret";

/** Where a Spark Connect server is, and how it is spoken to. */
export interface ConnectAddress {
  /** `host:port`; no token. */
  readonly name: string;
  /** `http://host:port` or `https://host:port`. */
  readonly baseUrl: string;
  readonly token: Secret | undefined;
  readonly userId: string | undefined;
  /** What the client calls itself, put before its own name. */
  readonly userAgent: string | undefined;
  /** The session to use, or to make, on the server. */
  readonly sessionId: string | undefined;
  /** Further headers of every request. Proxies have tokens in these too. */
  readonly headers: ReadonlyMap<string, Secret>;
}

/** Spark's port of Spark Connect. */
const PORT = 15002;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** As PySpark; percent-encoded characters. */
const USER_AGENT_LIMIT = 2048;

const FORM = "sc://host:15002/;token=…;use_ssl=true";

/** True for the masters of Spark Connect, right or wrong. */
export function isConnectUrl(master: string): boolean {
  return /^sc:/i.test(master);
}

/**
 * Reads Spark's connection string, `sc://host[:15002]/;key=value;…`, by PySpark's rules: keys `token`, `use_ssl`, `user_id`, `user_agent`,
 * `session_id`, anything else is a header; values are percent-encoded. A token means TLS but for `localhost`.
 * @param variables SPARK_CONNECT_AUTHENTICATE_TOKEN is the token where the string has none
 * @throws IllegalArgumentError, which repeats no value
 */
export function parseConnectUrl(url: string, variables: NodeJS.ProcessEnv = process.env): ConnectAddress {
  const match = /^sc:\/\/([^/;?#]*)(.*)$/s.exec(url);
  if (!match) throw wrong('it must begin with "sc://"');
  const { host, port } = hostAndPort(match[1]!);
  const parameters = parametersOf(match[2]!);
  const take = (key: string) => {
    const value = parameters.get(key);
    parameters.delete(key);
    return value;
  };

  const token = tokenOf(take("token") ?? (variables.SPARK_CONNECT_AUTHENTICATE_TOKEN || undefined));
  const useTls = flag("use_ssl", take("use_ssl"));
  const isSecure = useTls || (token !== undefined && host !== "localhost");
  const sessionId = take("session_id");
  if (sessionId !== undefined && !UUID.test(sessionId))
    throw wrong("session_id must be a UUID, such as 00112233-4455-6677-8899-aabbccddeeff");
  const userAgent = take("user_agent");
  if (userAgent !== undefined && encodeURIComponent(userAgent).length > USER_AGENT_LIMIT)
    throw wrong(`user_agent is longer than ${USER_AGENT_LIMIT} characters`);
  const userId = take("user_id");
  return {
    name: `${host}:${port}`,
    baseUrl: `${isSecure ? "https" : "http"}://${host}:${port}`,
    token,
    userId,
    userAgent,
    sessionId,
    headers: new Map([...parameters].map(([key, value]) => headerOf(key, value))),
  };
}

function hostAndPort(text: string): { host: string; port: number } {
  if (text.includes("@")) throw wrong("a user or password is no part of it; user_id and token are");
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]\s]+)(?::(.*))?$/i.exec(text);
  if (!match) throw wrong('"sc://" must be followed by host or host:port');
  const [, host = "", digits] = match;
  const port = digits === undefined ? PORT : Number(digits);
  if (digits !== undefined && (!/^\d+$/.test(digits) || port < 1 || port > 65535))
    throw wrong(`the port of ${host} must be a number from 1 to 65535`);
  if (!URL.canParse(`http://${host}:${port}`)) throw wrong(`${JSON.stringify(host)} is no host`);
  return { host: host.toLowerCase(), port };
}

function parametersOf(rest: string): Map<string, string> {
  if (rest === "" || rest === "/") return new Map();
  if (rest.startsWith(";")) throw wrong('parameters begin with "/;", not with ";"');
  if (!rest.startsWith("/;")) throw wrong('host and port may be followed by "/;" and parameters only, by no path');
  const parameters = new Map<string, string>();
  for (const part of rest.slice(2).split(";")) {
    if (part === "") continue;
    // The first "=" alone: tokens end with "=" often.
    const at = part.indexOf("=");
    if (at < 1) throw wrong(`its parameter number ${parameters.size + 1} is not of the form key=value`);
    const key = part.slice(0, at);
    if (parameters.has(key)) throw wrong(`${JSON.stringify(key)} is there twice`);
    parameters.set(key, decoded(key, part.slice(at + 1)));
  }
  return parameters;
}

function decoded(key: string, value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw wrong(
      `the value of ${JSON.stringify(key)} has a % that begins no percent-encoded character (% itself is %25)`,
    );
  }
}

function flag(key: string, value: string | undefined): boolean {
  if (value === undefined) return false;
  if (!/^(?:true|false)$/i.test(value)) throw wrong(`${key} must be true or false`);
  return value.toLowerCase() === "true";
}

function tokenOf(value: string | undefined): Secret | undefined {
  if (value === undefined) return undefined;
  // What a header can carry.
  if (!/^[\x21-\x7e]+$/.test(value)) throw wrong("the token must be ASCII without spaces, and not empty");
  return new Secret(value);
}

function headerOf(key: string, value: string): [string, Secret] {
  const name = key.toLowerCase();
  if (!/^[a-z0-9_.-]+$/.test(name) || /^(?:grpc-|content-type$|te$|host$|connection$)/.test(name))
    throw wrong(`${JSON.stringify(key)} is no parameter and can't be a header`);
  if (!/^[\x20-\x7e]*$/.test(value)) throw wrong(`the value of ${JSON.stringify(key)} must be ASCII`);
  return [name, new Secret(value)];
}

function wrong(why: string): IllegalArgumentError {
  return new IllegalArgumentError(`The connection string of Spark is not right: ${why}.`, {
    remedy: `Write it as ${FORM}`,
  });
}
