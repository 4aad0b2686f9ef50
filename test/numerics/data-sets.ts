import type { Matrix } from "../../src/data/vectors";

/** Numbers in -0.5..0.5 by Lehmer's generator, as test/golden/pca.py makes them. */
export function uniform(n: number, seed = 5): Float64Array {
  let x = seed;
  return Float64Array.from({ length: n }, () => {
    x = (x * 16807) % 2147483647;
    return x / 2147483647 - 0.5;
  });
}

/** The matrices of test/golden/pca.py, bit for bit. */
export function matrixOf(kind: string, rows: number, columns: number): Matrix<Float64Array> {
  const at = elementOf(kind, rows, columns);
  const values = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) values[i * columns + j] = at(i, j);
  return { values, rows, dimension: columns };
}

function elementOf(kind: string, rows: number, columns: number): (i: number, j: number) => number {
  const values = uniform(rows * columns);
  const x = (i: number, j: number) => values[i * columns + j]!;
  /** To steps of 2^-20, ties to even as numpy rounds. */
  const rounded = (value: number) => value * 2 ** 20 + 2 ** 52 * 1.5 - 2 ** 52 * 1.5;
  switch (kind) {
    case "uniform":
      return x;
    case "rank 3": {
      const [a, b] = [uniform(rows * 3, 7), uniform(3 * columns, 11)];
      const term = (i: number, j: number, c: number) => a[i * 3 + c]! * b[c * columns + j]!;
      return (i, j) => term(i, j, 0) + term(i, j, 1) + term(i, j, 2);
    }
    case "constant columns":
      return (i, j) => (j % 3 === 0 ? 0.1 : x(i, j));
    case "doubled columns":
      return (i, j) => x(i, j >> 1);
    case "doubled rows":
      return (i, j) => x(i >> 1, j);
    case "clusters":
      return (i, j) => (j === (i >> 1) % columns ? (i % 2 === 0 ? 1 : -1) * 2 ** ((i >> 3) % 3) : 0);
    case "signs":
      return (i, j) => (x(i, j) < 0 ? -1 : 1);
    case "huge":
      return (i, j) => x(i, j) * 2 ** 498;
    case "tiny":
      return (i, j) => x(i, j) * 2 ** -498;
    case "huge beside tiny":
      return (i, j) => x(i, j) * 2 ** (498 - Math.floor((j * 996) / Math.max(columns - 1, 1)));
    case "tiny beside huge":
      return (i, j) => x(i, j) * 2 ** (Math.floor((j * 996) / Math.max(columns - 1, 1)) - 498);
    case "falling":
      return (i, j) => x(i, j) * 2 ** -(j % 40);
    case "far from 0":
      return (i, j) => rounded(x(i, j)) / 2 ** 20 + 2 ** 20;
    case "nearly equal rows":
      return (i, j) => x(0, j) + rounded(x(i, j)) / 2 ** 50;
    case "one row differs":
      return (i, j) => (i === rows >> 1 ? x(rows - 1, j) : x(0, j));
    default:
      throw new Error(kind);
  }
}
