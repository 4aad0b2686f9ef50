import { firstLine } from "../../errors";
import type { EndpointSettings } from "./endpoint-settings";
import {
  EndpointAccessError,
  EndpointCertificateError,
  EndpointError,
  EndpointUnavailableError,
  EndpointUnreachableError,
  NotJupyterError,
} from "./errors";
import { speaksOther } from "./other-protocol";

/** How long a server may take to answer: it starts a kernel within one request. */
const ANSWER_MILLISECONDS = 30_000;

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** The headers by which a server knows us: the one place where a token is told. */
export function authorization({ token }: EndpointSettings): Readonly<Record<string, string>> {
  return token === undefined ? {} : { Authorization: `token ${token.reveal()}` };
}

/**
 * A request to Jupyter's REST API.
 * @param path from `api/` on
 * @param taken statuses that are answers like others
 * @throws EndpointError of the kind that says what is wrong
 */
export async function restRequest(
  endpoint: EndpointSettings,
  method: "GET" | "POST" | "DELETE",
  path: string,
  {
    body,
    signal,
    taken = [],
    timeout = ANSWER_MILLISECONDS,
  }: { body?: unknown; signal?: AbortSignal; taken?: readonly number[]; timeout?: number } = {},
): Promise<Answer> {
  const { name } = endpoint;
  const inTime = AbortSignal.timeout(timeout);
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${endpoint.url}/${path}`, {
      method,
      // A proxy sends who it does not know to a page for people.
      redirect: "manual",
      headers: {
        ...authorization(endpoint),
        Accept: "application/json",
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal ? AbortSignal.any([signal, inTime]) : inTime,
    });
    text = await response.text();
  } catch (error) {
    const isOther = isGarbled(error) && (await speaksOther(endpoint.url, signal));
    if (signal?.aborted) throw signal.reason;
    if (isOther) throw otherProtocol(endpoint);
    throw inTime.aborted
      ? new EndpointUnreachableError(name, `not within ${timeout / 1000} s`)
      : connectionError(name, error);
  }
  const { status } = response;
  // A hub's page for who wants to start it.
  if (/\/hub\/user\//.test(response.headers.get("location") ?? ""))
    throw new EndpointUnreachableError(name, "its JupyterHub has no server at this address that runs");
  const parsed = text === "" ? undefined : jsonOf(text);
  if (status === 401 || status === 403 || (status >= 300 && status < 400))
    throw new EndpointAccessError(name, status, endpoint.tokenFrom, reasonIn(parsed));
  if (response.ok || taken.includes(status)) {
    if (text !== "" && parsed === undefined)
      throw new NotJupyterError(name, `it sends ${kindOf(response)} for ${path}`);
    return { status, body: parsed };
  }
  // Jupyter says what it does not know as JSON; anything else has a page for that.
  if (status === 404 || parsed === undefined)
    throw status >= 500
      ? new EndpointUnreachableError(name, `HTTP ${status} for ${path}`)
      : new NotJupyterError(name, `HTTP ${status} for ${path}`);
  const reason = reasonIn(parsed);
  if (status === 503 && reason !== undefined) throw new EndpointUnavailableError(name, reason);
  throw new EndpointError(name, `HTTP ${status} for ${path}: ${reason ?? "no reason given"}`, {
    retryable: status >= 500,
  });
}

/** What a `fetch` or socket that failed means. */
export function connectionError(name: string, error: unknown): EndpointError {
  const { code = "", message } = causeOf(error);
  // OpenSSL's reasons, such as DEPTH_ZERO_SELF_SIGNED_CERT, and Node's for a certificate of another name.
  if (/CERT|^UNABLE_TO_/.test(code)) return new EndpointCertificateError(name, message.replace(/\.$/, ""));
  return new EndpointUnreachableError(name, failureOf(error));
}

/** Whether a request failed as one does where only one side speaks TLS: it is cut, not understood, or never answered. */
function isGarbled(error: unknown): boolean {
  const { code = "" } = causeOf(error);
  return /^(ECONNRESET|EPIPE|UND_ERR_SOCKET|UND_ERR_CONNECT_TIMEOUT|HPE_|ERR_SSL_)/.test(code);
}

function otherProtocol({ name, url }: EndpointSettings): EndpointUnreachableError {
  const speaksTls = url.startsWith("http:");
  const [master, address] = speaksTls ? ["jupyters://", "https://"] : ["jupyter://", "http://"];
  const why = speaksTls ? "it speaks TLS, and was asked without" : "it speaks no TLS, and was asked by it";
  return new EndpointUnreachableError(name, why, `Use ${master} in the master, or ${address} in its url.`);
}

function causeOf(error: unknown): NodeJS.ErrnoException {
  return (error instanceof Error && error.cause instanceof Error ? error.cause : error) as NodeJS.ErrnoException;
}

/** What it says, in a few words. */
export function failureOf(error: unknown): string {
  const { code, message } = causeOf(error);
  switch (code) {
    case "ECONNREFUSED":
      return "the connection is refused";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "there is no host of that name";
    case undefined:
      return message;
    default:
      return message.includes(code) ? message : `${code}: ${message}`;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function kindOf(response: Response): string {
  return response.headers.get("content-type")?.split(";")[0] ?? "something else";
}

/** Why a server does not do it, in its words; undefined where it has none of its own. */
function reasonIn(body: unknown): string | undefined {
  const { message, reason } = (body ?? {}) as { readonly message?: unknown; readonly reason?: unknown };
  const text = [message, reason].find((each) => typeof each === "string" && !/^(Forbidden|Unauthorized)?$/.test(each));
  return text === undefined ? undefined : firstLine(String(text)).slice(0, 300);
}
