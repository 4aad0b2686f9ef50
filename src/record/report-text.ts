/** The local date and time of day: `2026-11-26 14:03:07`. */
export function dateText(time: number): string {
  const date = new Date(time);
  return new Date(time - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19).replace("T", " ");
}

/** The local time of day: `14:03:07`. */
export function clockText(time: number): string {
  return dateText(time).slice(11);
}

/** `UTC+1`, of this machine. */
export function zoneText(): string {
  const minutes = -new Date().getTimezoneOffset();
  if (minutes === 0) return "UTC";
  const part = Math.abs(minutes) % 60;
  return `UTC${minutes < 0 ? "-" : "+"}${Math.floor(Math.abs(minutes) / 60)}${part === 0 ? "" : `:${String(part).padStart(2, "0")}`}`;
}
