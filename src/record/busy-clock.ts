/** A clock that stands while nothing runs: a notebook's session waits for its user most of the time. */
export interface BusyClock {
  /** Seconds in which something ran, all in all. */
  readonly seconds: number;
  /** Seconds in which nothing did, between the first start and the last end. */
  readonly idleSeconds: number;
  /** Where the clock stood, and for how long, each in seconds. */
  readonly pauses: readonly { readonly at: number; readonly idle: number }[];
  /** Seconds in which something ran before a time in epoch milliseconds. */
  at(time: number): number;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** @param spans in which something ran, in epoch milliseconds; they may overlap */
export function busyClock(spans: readonly Span[]): BusyClock {
  const merged: { start: number; end: number; before: number }[] = [];
  for (const { start, end } of [...spans].sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last && start <= last.end) last.end = Math.max(last.end, end);
    else merged.push({ start, end, before: last ? last.before + last.end - last.start : 0 });
  }
  const last = merged.at(-1);
  const busy = last ? last.before + last.end - last.start : 0;
  const whole = last ? last.end - (merged[0] as Span).start : 0;
  return {
    seconds: busy / 1000,
    idleSeconds: (whole - busy) / 1000,
    pauses: merged.slice(1).map((span, i) => ({
      at: span.before / 1000,
      idle: (span.start - (merged[i] as Span).end) / 1000,
    })),
    at(time) {
      let [low, high] = [0, merged.length];
      // The last span that has begun by then.
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((merged[middle] as Span).start <= time) low = middle + 1;
        else high = middle;
      }
      const span = merged[low - 1];
      return span ? (span.before + Math.min(time, span.end) - span.start) / 1000 : 0;
    },
  };
}
