"""What the Python peers do to a batch of image files: Pillow, numpy, onnxruntime of one thread."""
import io
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"
import numpy as np
import onnxruntime
from PIL import Image


def open_model(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def featurize(session, contents, batch):
    """The features of some image files, `batch` at a time."""
    name = session.get_inputs()[0].name
    found = []
    for start in range(0, len(contents), batch):
        some = contents[start : start + batch]
        x = np.empty((len(some), 224, 224, 3), dtype=np.float32)
        for i, content in enumerate(some):
            image = Image.open(io.BytesIO(content)).convert("RGB").resize((224, 224))
            np.divide(np.asarray(image), np.float32(127.5), out=x[i])
        x -= 1
        found.append(session.run(None, {name: x})[0])
    return np.concatenate(found)
