import type { MessagePort } from "node:worker_threads";
import type { Content, LanguageReply, LanguageRequest } from "../messages";

type LanguageType = LanguageRequest["type"];

/** How long the language thread may think before the front end gets an empty answer. */
const PATIENCE_MS = 10_000;

/** Asks the language thread. The promise gives the content of the reply, in any case. */
export function languageClient(port: MessagePort): (type: LanguageType, content: Content) => Promise<Content> {
  const waiting = new Map<number, (content: Content) => void>();
  let requests = 0;
  port.on("message", ({ id, content }: LanguageReply) => waiting.get(id)?.(content));
  return (type, content) =>
    new Promise((resolve) => {
      const id = ++requests;
      const finish = (reply: Content) => {
        clearTimeout(timer);
        waiting.delete(id);
        resolve(reply);
      };
      const timer = setTimeout(() => finish(nothing(type, content)), PATIENCE_MS);
      waiting.set(id, finish);
      const request: LanguageRequest = { id, type, content };
      port.postMessage(request);
    });
}

function nothing(type: LanguageType, { cursor_pos }: Content): Content {
  switch (type) {
    case "complete_request":
      return { status: "ok", matches: [], cursor_start: cursor_pos, cursor_end: cursor_pos, metadata: {} };
    case "inspect_request":
      return { status: "ok", found: false, data: {}, metadata: {} };
    case "is_complete_request":
      return { status: "unknown" };
  }
}
