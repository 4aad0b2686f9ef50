import type { Vector } from "apache-arrow";

export interface LabelCounts {
  /** Labels in order, each with its rows. */
  readonly classes: readonly { readonly label: string; readonly rows: number }[];
  readonly nulls: number;
  /** Labels of nothing but spaces. */
  readonly empty: number;
}

/** Counts labels that are texts, batch by batch. */
export function labelTally() {
  const rows = new Map<string, number>();
  let nulls = 0;
  return {
    add(labels: Vector) {
      for (const label of labels as Iterable<string | null>) {
        if (label === null) nulls++;
        else rows.set(label, (rows.get(label) ?? 0) + 1);
      }
    },
    counts(): LabelCounts {
      const isEmpty = (label: string) => label.trim() === "";
      const empty = [...rows].reduce((sum, [label, n]) => sum + (isEmpty(label) ? n : 0), 0);
      // Spark's order of texts is that of their bytes.
      const inOrder = [...rows]
        .filter(([label]) => !isEmpty(label))
        .map(([label, n]) => ({ label, rows: n, bytes: Buffer.from(label) }))
        .sort((a, b) => Buffer.compare(a.bytes, b.bytes));
      return { classes: inOrder.map(({ label, rows: n }) => ({ label, rows: n })), nulls, empty };
    },
  };
}

/** Finds in one pass, with a number for each row, whether a path may come twice; which do is for a query to say. */
export function pathTally() {
  let hashes = new Float64Array(1024);
  let [rows, nulls] = [0, 0];
  return {
    add(paths: Vector) {
      for (const path of paths as Iterable<unknown>) {
        if (path === null) {
          nulls++;
          continue;
        }
        if (rows === hashes.length) {
          const larger = new Float64Array(rows * 2);
          larger.set(hashes);
          hashes = larger;
        }
        hashes[rows++] = hashOf(String(path));
      }
    },
    nulls: () => nulls,
    /** False where all paths differ; rarely true where they do, too. */
    mayRepeat(): boolean {
      const sorted = hashes.slice(0, rows).sort();
      return sorted.some((hash, i) => i > 0 && hash === sorted[i - 1]);
    },
  };
}

/** 53 bits: two multiplicative hashes (Knuth), one of 32 bits and one of 21. */
function hashOf(text: string): number {
  let [high, low] = [0x9e3779b9, 0x85ebca6b];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return (high >>> 0) + (low >>> 11) * 2 ** 32;
}
