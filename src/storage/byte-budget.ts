/** Lets work go on side by side as long as what it brings into memory stays within bounds; what comes first goes first. */
export interface ByteBudget {
  /** Waits until there is room for `bytes`, or nobody else is at work, and holds it until `work` has ended. */
  use<T>(bytes: number, work: () => Promise<T>): Promise<T>;
}

/** @param most bytes at once @param atOnce most pieces of work at once */
export function byteBudget(most: number, atOnce: number): ByteBudget {
  const waiting: { readonly bytes: number; readonly start: () => void }[] = [];
  let [held, running] = [0, 0];
  const next = () => {
    for (let first = waiting[0]; first; first = waiting[0]) {
      if (running > 0 && (running >= atOnce || held + first.bytes > most)) return;
      waiting.shift();
      held += first.bytes;
      running++;
      first.start();
    }
  };
  return {
    async use(bytes, work) {
      await new Promise<void>((start) => {
        waiting.push({ bytes, start });
        next();
      });
      try {
        return await work();
      } finally {
        held -= bytes;
        running--;
        next();
      }
    },
  };
}
