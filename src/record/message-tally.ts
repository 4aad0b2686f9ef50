import { eventText } from "./event-text";
import type { LogLine } from "./log-lines";

/** A line for the user, and how often it came. */
export interface MessageCount {
  /** When it came first, in epoch milliseconds. */
  readonly time: number;
  readonly level: string;
  readonly text: string;
  count: number;
}

/** Of the first and the last messages so many are kept each. */
const KEPT = 150;

/** A message says no more than this. */
const LONGEST = 2_000;

/** Keeps messages, those that repeat once. */
export function messageTally(): {
  add(line: LogLine): void;
  messages(): { readonly messages: readonly MessageCount[]; readonly messagesLeftOut: number };
} {
  const first = new Map<string, MessageCount>();
  let last = new Map<string, MessageCount>();
  let leftOut = 0;
  const descriptions = new Map<string, string>();
  return {
    add(line) {
      if (line.type === "run" || line.type === "runEnded") return;
      const told =
        line.type === "gap"
          ? (["warn", `${line.events} events are missing: the record could not be written`] as const)
          : eventText(line, descriptions);
      if (!told || told[0] === "debug") return;
      const [level, whole] = told;
      const text = whole.length > LONGEST ? `${whole.slice(0, LONGEST)} …` : whole;
      const known = first.get(text) ?? last.get(text);
      if (known) {
        known.count++;
        return;
      }
      const message = { time: line.time, level, text, count: 1 };
      if (first.size < KEPT) first.set(text, message);
      else last.set(text, message);
      if (last.size <= 2 * KEPT) return;
      leftOut += last.size - KEPT;
      last = new Map([...last].slice(-KEPT));
    },
    messages() {
      const ends = [...last.values()];
      return {
        messages: [...first.values(), ...ends.slice(-KEPT)],
        messagesLeftOut: leftOut + Math.max(0, ends.length - KEPT),
      };
    },
  };
}
