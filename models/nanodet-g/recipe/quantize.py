"""model.onnx -> model.int8.onnx: QDQ, uint8 activations, int8 weights per channel, ranges by minimum and maximum.

    python quantize.py MODEL_FOLDER PICTURES PACKAGES OUT_ONNX [--full-range]

Weights take 7 of their 8 bits: x86 processors without VNNI add pairs of u8 x s8 products in 16 bits, which
saturates with 8. `--full-range` takes all 8.
"""
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

import calibration

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
from reference import Model, prepare  # noqa: E402

OPERATORS = ["Conv", "LeakyRelu", "Concat", "MaxPool", "Resize", "Add"]
SIZES = [(416, 416), (640, 640), (640, 384)]


class Reader(CalibrationDataReader):
    """Every picture at one of SIZES in turn."""

    def __init__(self, manifest, roots):
        spec = manifest["input"]
        self.feeds = (
            {spec["tensor"]: prepare(picture, SIZES[index % len(SIZES)], spec)[0]}
            for index, (_, picture) in enumerate(calibration.pictures(roots))
        )

    def get_next(self):
        return next(self.feeds, None)


def check_batch(model):
    """A batch gives what its pictures give one by one."""
    random = np.random.default_rng(1)
    for width, height in SIZES:
        batch = random.standard_normal((3, 3, height, width), dtype=np.float32)
        together = model.run(batch)
        for i in range(3):
            alone = model.run(batch[i : i + 1])
            worst = max(float(abs(together[k][i] - alone[k][0]).max()) for k in alone)
            assert worst < 1e-5, f"a batch differs from single pictures by {worst}"


def main(folder, pictures, packages, target, *flags):
    manifest = Model(folder).manifest
    with tempfile.TemporaryDirectory() as scratch:
        prepared = str(Path(scratch) / "prepared.onnx")
        quant_pre_process(
            str(Path(folder) / manifest["variants"]["fp32"]["file"]), prepared, skip_symbolic_shape=True
        )
        quantize_static(
            prepared,
            target,
            Reader(manifest, {"pictures": pictures, "packages": packages}),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=OPERATORS,
            per_channel=True,
            reduce_range="--full-range" not in flags,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={"ActivationSymmetric": False, "WeightSymmetric": True},
        )
    model = onnx.load(target)
    model.graph.name = "nanodet-g-int8"
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, target)
    check_batch(Model(folder, file=target))


if __name__ == "__main__":
    main(*sys.argv[1:])
