/** The first entry of a map that holds more than so many, which is to be given up for the latest. */
export function oldestBeyond<K, V>(map: ReadonlyMap<K, V>, most: number): readonly [key: K, value: V] | undefined {
  if (map.size <= most) return undefined;
  const [oldest] = map;
  return oldest;
}

/** Deletes it. */
export function keepLatest<K>(map: Map<K, unknown>, most: number): void {
  const oldest = oldestBeyond(map, most);
  if (oldest) map.delete(oldest[0]);
}
