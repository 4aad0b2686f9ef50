import type { Header } from "../messages";

export type StreamName = "stdout" | "stderr";

export interface StreamBuffer {
  add(name: StreamName, text: string, parent: Header | undefined): void;
  /** Sends what waits of one cell, because something else of that cell follows. */
  flush(parent: Header | undefined): void;
  flushAll(): void;
}

/** How long text waits for more, and how much of it: a compromise between messages and liveliness. */
const DELAY_MS = 50;
const LIMIT = 64 * 1024;

/** Joins the small writes of a cell into few messages. */
export function streamBuffer(
  publish: (name: StreamName, text: string, parent: Header | undefined) => void,
): StreamBuffer {
  const waiting = new Map<string, { name: StreamName; text: string; readonly parent: Header | undefined }>();
  let timer: NodeJS.Timeout | undefined;

  const flush = (key: string, complete: boolean) => {
    const entry = waiting.get(key);
    if (!entry) return;
    waiting.delete(key);
    // The first half of a character waits for its second.
    const cut = !complete && isHighSurrogate(entry.text.charCodeAt(entry.text.length - 1)) ? 1 : 0;
    const text = entry.text.slice(0, entry.text.length - cut);
    if (cut) waiting.set(key, { ...entry, text: entry.text.slice(-cut) });
    if (text !== "") publish(entry.name, text, entry.parent);
  };
  const flushAll = (complete: boolean) => {
    clearTimeout(timer);
    timer = undefined;
    for (const key of [...waiting.keys()]) flush(key, complete);
  };

  return {
    add(name, text, parent) {
      const key = parent?.msg_id ?? "";
      if (waiting.get(key)?.name !== name) flush(key, true);
      const entry = waiting.get(key);
      if (entry) entry.text += text;
      else waiting.set(key, { name, text, parent });
      if ((entry ?? { text }).text.length >= LIMIT) flush(key, false);
      else timer ??= setTimeout(() => flushAll(false), DELAY_MS);
    },
    flush: (parent) => flush(parent?.msg_id ?? "", true),
    flushAll: () => flushAll(true),
  };
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
