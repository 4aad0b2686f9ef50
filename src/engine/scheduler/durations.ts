/** Each bucket is longer than the one before it by this factor, so a median is right to about one percent. */
const STEP = 1.02;
const BUCKETS = 1400;

/** How long attempts took, in memory that does not grow with their number. */
export interface Durations {
  add(milliseconds: number): void;
  /** 0 before the first. */
  median(): number;
}

export function durations(): Durations {
  const buckets = new Uint32Array(BUCKETS);
  let count = 0;
  return {
    add(milliseconds) {
      const place = Math.round(Math.log(Math.max(1, milliseconds)) / Math.log(STEP));
      buckets[Math.min(BUCKETS - 1, place)]!++;
      count++;
    },
    median() {
      if (count === 0) return 0;
      let before = 0;
      const place = buckets.findIndex((n) => {
        before += n;
        return before * 2 >= count;
      });
      return STEP ** place;
    },
  };
}
