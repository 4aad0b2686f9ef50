/** Tells for each record in turn whether it belongs to the share; the same ones every time. */
export function sampler(ratio: number): () => boolean {
  if (ratio > 0.99) return () => true;
  let state = 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647 < ratio;
  };
}
