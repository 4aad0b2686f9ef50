"""Weights and pixels by a formula of whole numbers, the same ones as in test/model/formula.ts."""
import numpy as np


def uniform(key, count):
    """`count` numbers from -1 to below 1, each one exact in float32."""
    h = np.arange(count, dtype=np.uint32) * np.uint32(2654435761) + np.uint32(key * 40503 + 1)
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x7FEB352D)
    h ^= h >> np.uint32(15)
    h *= np.uint32(0x846CA68B)
    h ^= h >> np.uint32(16)
    return (h >> np.uint32(8)).astype(np.float64) / 2**23 - 1


def weight(name, shape, key):
    u = uniform(key, int(np.prod(shape, dtype=np.int64)))
    if name == "kernel":
        depthwise = len(shape) == 4 and shape[3] == 1
        fan_in = shape[0] * shape[1] if depthwise else u.size / shape[-1]
        u = u * np.sqrt(6 / fan_in)
    elif name in ("bias", "beta", "moving_mean"):
        u = u * 0.1
    elif name == "gamma":
        u = u * 0.2 + 1
    elif name == "moving_variance":
        u = u * 0.5 + 1
    elif name == "mean":
        u = u * 0.05 + 0.45
    elif name == "variance":
        u = u * 0.01 + 0.05
    else:
        raise ValueError(name)
    return u.astype(np.float32).reshape(shape)


def set_weights(model):
    layers = [layer for layer in model.layers if layer.weights]
    for number, layer in enumerate(layers):
        values = []
        for place, variable in enumerate(layer.weights):
            name = variable.path.split("/")[-1]
            zero = np.zeros((), dtype=variable.dtype)
            values.append(zero if name == "count" else weight(name, tuple(variable.shape), number * 8 + place))
        layer.set_weights(values)
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()  # Normalization computes with a copy, which loading a file renews too


def pixels(height, width, key):
    """An RGB image of bytes."""
    return np.floor((uniform(key, height * width * 3) + 1) * 128).astype(np.uint8).reshape(height, width, 3)


def sample(values):
    """Some of many values, as shares of the greatest: JSON of a few KB."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    largest = float(np.abs(flat).max())
    stride = 1 if flat.size <= 300 else 37 if flat.size <= 12000 else 211
    return {
        "length": int(flat.size),
        "largest": round(largest, 5),
        "stride": stride,
        "shares": [round(float(v) / largest, 6) for v in flat[::stride]],
    }
