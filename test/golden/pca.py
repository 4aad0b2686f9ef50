"""Shares of variance by numpy's SVD of matrices that test/ml/data-sets.ts makes in the same way, bit for bit."""

import json

import numpy as np


def uniform(n, seed=5):
    """Numbers in -0.5..0.5 by Lehmer's generator."""
    out = np.empty(n)
    x = seed
    for i in range(n):
        x = (x * 16807) % 2147483647
        out[i] = x / 2147483647 - 0.5
    return out


def matrix(kind, n, d):
    x = uniform(n * d).reshape(n, d)
    j = np.arange(d)
    if kind == "uniform":
        return x
    if kind == "rank 3":
        # Sums in one order, so that every bit is the same elsewhere.
        a, b = uniform(n * 3, 7).reshape(n, 3), uniform(3 * d, 11).reshape(3, d)
        return (a[:, :1] * b[0] + a[:, 1:2] * b[1]) + a[:, 2:] * b[2]
    if kind == "constant columns":
        x[:, ::3] = 0.1
        return x
    if kind == "doubled columns":
        return x[:, j // 2]
    if kind == "doubled rows":
        return x[np.arange(n) // 2]
    if kind == "clusters":
        # Rows +-s e_i, and s takes few values: eigenvalues that are equal.
        x = np.zeros((n, d))
        for i in range(n):
            x[i, (i // 2) % d] = (-1) ** i * 2.0 ** (i // 8 % 3)
        return x
    if kind == "signs":
        return np.where(x < 0, -1.0, 1.0)
    if kind == "huge":
        return x * 2.0**498
    if kind == "tiny":
        return x * 2.0**-498
    if kind == "huge beside tiny":
        return x * 2.0 ** (498 - (j * 996) // max(d - 1, 1))
    if kind == "tiny beside huge":
        return x * 2.0 ** ((j * 996) // max(d - 1, 1) - 498)
    if kind == "falling":
        return x * 2.0 ** -(j % 40)
    if kind == "far from 0":
        return np.round(x * 2.0**20) / 2.0**20 + 2.0**20
    if kind == "nearly equal rows":
        return x[0] + np.round(x * 2.0**20) / 2.0**50
    if kind == "one row differs":
        y = np.tile(x[0], (n, 1))
        y[n // 2] = x[n - 1]
        return y
    raise ValueError(kind)


KINDS = ["uniform", "rank 3", "constant columns", "doubled columns", "doubled rows", "clusters", "signs", "huge", "tiny",
         "huge beside tiny", "tiny beside huge", "falling", "far from 0", "nearly equal rows", "one row differs"]
SHAPES = [(2, 1), (2, 3), (3, 2), (7, 7), (10, 150), (150, 10), (33, 64), (64, 65), (65, 64), (60, 200)]
LARGE = [(500, 1280, 20), (100, 2500, 110)]


def shares(x, k):
    x = x - x.mean(axis=0)
    x = x - x.mean(axis=0)  # what rounding left in the mean
    s = np.linalg.svd(x / np.abs(x).max(), compute_uv=False)
    values = np.zeros(max(k, len(s)))
    values[: len(s)] = s**2
    return list((values / values.sum())[:k])


if __name__ == "__main__":
    cases = [(kind, n, d, min(d, 70)) for kind in KINDS for n, d in SHAPES]
    cases += [("uniform", n, d, k) for n, d, k in LARGE]
    out = []
    for kind, n, d, k in cases:
        x = matrix(kind, n, d)
        varies = np.any(x != x[0])
        out.append(dict(kind=kind, rows=n, columns=d, k=k, shares=[float(f"{v:.13g}") for v in shares(x, k)] if varies else None))
    print(json.dumps(out))
