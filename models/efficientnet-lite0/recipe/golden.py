"""Raw golden values of the feature maps -> golden/golden.json (form: models/README.md, Golden outputs, `raw`).

    python golden.py MODEL_FOLDER
"""
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort

SHAPES = [(1, 3, 128, 128), (2, 3, 64, 96)]
FORMULA = "x[n][c][j][i] = 2 sin(0.11 i + 0.07 j + 1.3 c + 0.5 n) cos(0.05 j - 0.03 i), in f64, then f32; i column, j row"


def record(session, shape):
    n, c, j, i = np.indices(shape, dtype=np.float64)
    tensor = (2 * np.sin(0.11 * i + 0.07 * j + 1.3 * c + 0.5 * n) * np.cos(0.05 * j - 0.03 * i)).astype(np.float32)
    outputs = {}
    for output, array in zip(session.get_outputs(), session.run(None, {"images": tensor})):
        spread = np.linspace(0, array.size - 1, 6, dtype=int).tolist()
        at = [np.unravel_index(k, array.shape) for k in sorted({int(array.argmax()), int(array.argmin()), *spread})]
        outputs[output.name] = {
            "shape": list(array.shape),
            "tolerance": 1e-3,
            "values": [{"at": [int(x) for x in k], "value": round(float(array[k]), 6)} for k in at],
        }
    probes = [(0, 0, 0, 0), (0, 1, 2, 3), (0, 2, 63, 95)]
    values = [{"at": list(k), "value": round(float(tensor[k]), 6)} for k in probes]
    return {"variant": "fp32", "shape": list(shape), "input": values, "outputs": outputs}


def main(folder):
    session = ort.InferenceSession(str(Path(folder) / "model.onnx"), providers=["CPUExecutionProvider"])
    rows = ",\n".join("  " + json.dumps(record(session, shape)) for shape in SHAPES)
    text = f'{{\n "about": "See models/README.md, Golden outputs.",\n "raw_input": "{FORMULA}",\n "raw": [\n{rows}\n ]\n}}\n'
    (Path(folder) / "golden" / "golden.json").write_text(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
