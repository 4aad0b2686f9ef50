import { createHmac, randomUUID } from "node:crypto";

export type Channel = "shell" | "control" | "stdin" | "iopub";

export interface KernelMessage {
  readonly channel: Channel;
  readonly type: string;
  readonly header: Readonly<Record<string, string>>;
  /** Empty where the message has no parent. */
  readonly parent: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  // biome-ignore lint/suspicious/noExplicitAny: what tests look into, whatever it is
  readonly content: any;
  readonly buffers: readonly Buffer[];
  /** What lies before the delimiter: on iopub the topic. */
  readonly idents: readonly string[];
  readonly signature: string;
}

/** A test for messages that belong to the request of that `msg_id`. */
export function belongsTo(id: string): (message: KernelMessage) => boolean {
  return ({ parent }) => parent.msg_id === id;
}

/** True for a `status` message with that state. */
export function isStatus(message: KernelMessage, state: "busy" | "idle" | "starting"): boolean {
  return message.type === "status" && message.content.execution_state === state;
}

const DELIMITER = "<IDS|MSG>";

export interface MessageParts {
  readonly type: string;
  readonly content: unknown;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly buffers?: readonly Uint8Array[] | undefined;
  readonly parent?: Readonly<Record<string, string>> | undefined;
}

/** The frames of a message, signed. @param session the client's */
export function framesOf(
  { type, content, metadata = {}, buffers = [], parent = {} }: MessageParts,
  session: string,
  key: string,
): Buffer[] {
  const header = newHeader(type, session);
  const parts = [header, parent, metadata, content].map((part) => Buffer.from(JSON.stringify(part)));
  return [Buffer.from(DELIMITER), Buffer.from(sign(key, parts)), ...parts, ...buffers.map((b) => Buffer.from(b))];
}

/** The `msg_id` of a message that {@link framesOf} made. */
export function idOf(frames: readonly Buffer[]): string {
  return (JSON.parse(String(frames[2])) as { msg_id: string }).msg_id;
}

/** The message that came in these frames. @throws Error where the signature is wrong */
export function parse(channel: Channel, frames: readonly Buffer[], key: string): KernelMessage {
  const at = frames.findIndex((frame) => frame.toString("latin1") === DELIMITER);
  const signature = String(frames[at + 1]);
  const parts = frames.slice(at + 2, at + 6);
  if (at < 0 || signature !== sign(key, parts)) throw new Error(`A message on ${channel} is not signed as it should.`);
  const [header, parent, metadata, content] = parts.map((part) => JSON.parse(part.toString()));
  return {
    channel,
    type: header.msg_type,
    header,
    parent: parent ?? {},
    metadata,
    content,
    buffers: frames.slice(at + 6),
    idents: frames.slice(0, at).map(String),
    signature,
  };
}

function newHeader(type: string, session: string): Record<string, string> {
  return {
    msg_id: randomUUID(),
    session,
    username: "tester",
    date: new Date().toISOString(),
    msg_type: type,
    version: "5.4",
  };
}

function sign(key: string, parts: readonly Buffer[]): string {
  if (key === "") return "";
  const hmac = createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest("hex");
}
