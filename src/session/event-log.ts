import type { EngineEvent } from "../engine/events";
import { eventText } from "../record/event-text";

/** Lines that are kept. */
const MOST = 1_000;

/** Keeps what a session's events told, as lines such as `14:03:07.120 warn  worker-1 was lost`. */
export function eventLog(): { record(event: EngineEvent): void; lines(): readonly string[] } {
  const lines: string[] = [];
  const descriptions = new Map<string, string>();
  return {
    lines: () => [...lines],
    record(event) {
      const told = eventText(event, descriptions);
      if (!told) return;
      const [level, text] = told;
      for (const line of text.split("\n")) lines.push(`${timeText(event.time)} ${level.padEnd(5)} ${line}`);
      lines.splice(0, lines.length - MOST);
    },
  };
}

/** The local time of day to the millisecond. */
function timeText(time: number): string {
  const date = new Date(time);
  return new Date(time - date.getTimezoneOffset() * 60_000).toISOString().slice(11, 23);
}
