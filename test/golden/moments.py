"""Statistics by numpy of rows that test/ml/moments.test.ts makes in the same way, bit for bit."""

import json

import numpy as np
from pca import uniform

ROWS, COLUMNS, K = 1000, 37, 11


def digits(a):
    return [float(f"{v:.16g}") for v in np.ravel(a)]


j = np.arange(COLUMNS)
x = uniform(ROWS * COLUMNS).reshape(ROWS, COLUMNS) * (1 + j * 0.125) + (j * 30 - 500)
x[:, 5] = 0.1
w = uniform(K * COLUMNS, 7).reshape(K, COLUMNS)
d = x - x.mean(axis=0)
print(json.dumps(dict(
    mean=digits(x.mean(axis=0)),
    std=digits(x.std(axis=0, ddof=1)),
    scatter=digits((d.T @ d)[np.triu_indices(COLUMNS)]),
    projected=digits(x[120:140] @ w.T),
)))
