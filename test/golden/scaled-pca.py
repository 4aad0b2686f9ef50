"""Scaling and PCA by numpy of the float32 vectors of test/estimator/estimators.e2e.test.ts, made in the same way."""

import json

import numpy as np
from pca import uniform

ROWS, COLUMNS = 260, 40

u = uniform(ROWS * COLUMNS).reshape(ROWS, COLUMNS)
a, b = uniform(ROWS * 2, 7).reshape(ROWS, 2), uniform(2 * COLUMNS, 11).reshape(2, COLUMNS)
x = np.maximum((a[:, :1] * b[0] + a[:, 1:] * b[1]) * 8 + u, 0).astype(np.float32).astype(float)
mean, std = x.mean(axis=0), x.std(axis=0, ddof=1)
s, v = np.linalg.svd((x - mean) / std, full_matrices=False)[1:]
share = s**2 / (s**2).sum()
k = int(np.argmax(np.cumsum(share) >= 0.7) + 1)
digits = lambda array: [float(f"{value:.15g}") for value in np.ravel(array)]
v *= np.sign(np.take_along_axis(v, np.abs(v).argmax(axis=1)[:, None], axis=1))
print(json.dumps(dict(mean=digits(mean), std=digits(std), explained=digits(share[:k]), components=digits(v[:k]))))
