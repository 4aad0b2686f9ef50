import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import type { ConnectionInfo, Content, Header } from "../messages";

/** A message as a client sent it. */
export interface Incoming {
  /** Where the reply goes: the router's identities. */
  readonly idents: readonly Buffer[];
  readonly header: Header;
  /** The header of the message that this one answers. */
  readonly parent: Content;
  readonly metadata: Content;
  readonly content: Content;
  readonly buffers: readonly Uint8Array[];
}

/** A message to be sent. */
export interface Outgoing {
  /** The router's identities, or the topic of a publisher. */
  readonly idents: readonly (Buffer | string)[];
  readonly type: string;
  readonly content: Content;
  readonly parent?: Header | undefined;
  readonly metadata?: Content | undefined;
  readonly buffers?: readonly Uint8Array[] | undefined;
}

/** Turns messages into signed frames and back. */
export interface Wire {
  /** The kernel's own session id, in the header of all it sends. */
  readonly session: string;
  /** The frames of a message, and the id it got. */
  write(message: Outgoing): { readonly id: string; readonly frames: Buffer[] };
  /** The message in these frames; a string says what is wrong with them. */
  read(frames: readonly Buffer[]): Incoming | string;
}

export const PROTOCOL_VERSION = "5.4";

/** @see https://jupyter-client.readthedocs.io/en/stable/messaging.html#the-wire-protocol */
export function openWire({ key, signature_scheme }: ConnectionInfo): Wire {
  const session = randomUUID();
  const sign = signer(key, signature_scheme);
  return {
    session,
    write({ idents, type, content, parent, metadata, buffers }) {
      const header: Header = {
        msg_id: randomUUID(),
        session,
        username: "kernel",
        date: new Date().toISOString(),
        msg_type: type,
        version: PROTOCOL_VERSION,
      };
      const parts = [header, parent ?? {}, metadata ?? {}, content].map((part) => Buffer.from(wellFormedJson(part)));
      const before = idents.map((ident) => (typeof ident === "string" ? Buffer.from(ident) : ident));
      const frames = [...before, DELIMITER, Buffer.from(sign?.(parts) ?? ""), ...parts, ...(buffers ?? []).map(bytes)];
      return { id: header.msg_id, frames };
    },
    read(frames) {
      const at = frames.findIndex((frame) => frame.equals(DELIMITER));
      if (at < 0) return "it has no delimiter";
      const signature = frames[at + 1];
      const parts = frames.slice(at + 2, at + 6);
      if (!signature || parts.length < 4) return "it has too few frames";
      if (sign && !isSame(signature, Buffer.from(sign(parts)))) return "its signature is wrong";
      const [header, parent, metadata, content] = parts.map(parsedObject);
      if (!header || !parent || !metadata || !content) return "one of its parts is no JSON object";
      if (!isHeader(header)) return "its header lacks msg_id, msg_type or session";
      return { idents: frames.slice(0, at), header, parent, metadata, content, buffers: frames.slice(at + 6) };
    },
  };
}

const DELIMITER = Buffer.from("<IDS|MSG>");

/** The signature of a message's four parts, in hex; undefined where messages are not signed. */
function signer(key: string, scheme: string): ((parts: readonly Buffer[]) => string) | undefined {
  if (key === "") return undefined;
  const algorithm = scheme.replace(/^hmac-/, "");
  return (parts) => {
    const hmac = createHmac(algorithm, key);
    for (const part of parts) hmac.update(part);
    return hmac.digest("hex");
  };
}

function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function parsedObject(part: Buffer): Content | undefined {
  try {
    const value: unknown = JSON.parse(part.toString());
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Content) : undefined;
  } catch {
    return undefined;
  }
}

function isHeader(header: Content): header is Content & Header {
  return ["msg_id", "msg_type", "session"].every((name) => typeof header[name] === "string");
}

/**
 * JSON whose strings are well-formed: a surrogate without its other half becomes U+FFFD, since Python can't encode one and
 * would lose the message.
 */
function wellFormedJson(value: unknown): string {
  const json = JSON.stringify(value);
  return json.includes("\\ud") ? json.replace(LONE_SURROGATE, "\ufffd") : json;
}

/** `\ud800` to `\udfff` as JSON.stringify writes them, after an even number of backslashes. */
const LONE_SURROGATE = /(?<=(?:^|[^\\])(?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;

function bytes(view: Uint8Array): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}
