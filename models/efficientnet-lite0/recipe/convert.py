"""Published PyTorch weights of EfficientNet-Lite0 -> model.onnx: feature maps at strides 8 and 16.

    python convert.py WEIGHTS_PTH OUT_ONNX [EAGLE_JPG]

Needs no PyTorch: the file is a pickle of tensor descriptions followed by the raw storages, and the network is plain
(convolution, batch norm, ReLU6; no squeeze-and-excitation, no swish), so the graph is written node by node with every
batch norm folded into its convolution. Padding is TensorFlow's SAME: on even sizes a stride-2 layer pads one more at
the right and bottom. With EAGLE_JPG (Debian package darknet, data/eagle.jpg) the same code builds the whole classifier
and checks that the picture is ImageNet class 22, bald eagle.
"""
import pickle
import sys
from collections import OrderedDict

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

EPSILON = 1e-3
# (repeats, kernel, stride, expansion, channels), from efficientnet_lite_builder.py of github.com/tensorflow/tpu
STAGES = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
]
FEATURES = {2: ("features_s8", 8, 40), 4: ("features_s16", 16, 112)}  # after these stages
MEAN, STD = 127.0, 128.0


class Reader(pickle.Unpickler):
    """Reads PyTorch's legacy file; refuses every class but those that a state dictionary needs."""

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *_: (storage, offset, size, stride)
        if module == "torch" and name in ("FloatStorage", "LongStorage"):
            return {"FloatStorage": np.float32, "LongStorage": np.int64}[name]
        raise pickle.UnpicklingError(f"{module}.{name} is not expected in a weights file")

    def persistent_load(self, description):
        _, dtype, key, _, count, _ = description
        return key, dtype, count


def read_weights(path):
    with open(path, "rb") as file:
        assert Reader(file).load() == 0x1950A86A20F9469CFC6C, "not a PyTorch file"
        assert Reader(file).load() == 1001
        Reader(file).load()
        tensors, keys = Reader(file).load(), Reader(file).load()
        dtypes = {storage[0]: storage[1] for storage, *_ in tensors.values()}
        storages = {}
        for key in keys:
            count = int(np.frombuffer(file.read(8), "<i8")[0])
            storages[key] = np.frombuffer(file.read(count * np.dtype(dtypes[key]).itemsize), dtypes[key])
    result = {}
    for name, (storage, offset, size, stride) in tensors.items():
        array = storages[storage[0]][offset:]
        result[name] = np.lib.stride_tricks.as_strided(array, size, [s * array.itemsize for s in stride], writeable=False)
    return result


class Builder:
    """Appends nodes; every method takes and returns a tensor name."""

    def __init__(self, weights):
        self.weights, self.nodes, self.values = weights, [], []

    def constant(self, name, array):
        self.values.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, operator, inputs, name, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [name], name, **attributes))
        return name

    def convolution(self, x, name, layer, norm, stride=1, groups=1):
        weight = self.weights[f"{layer}.weight"].astype(np.float64)
        gamma, beta, mean, variance = (
            self.weights[f"{norm}.{k}"].astype(np.float64) for k in ("weight", "bias", "running_mean", "running_var")
        )
        factor = gamma / np.sqrt(variance + EPSILON)
        kernel = weight.shape[2]
        before, after = (kernel - stride) // 2, (kernel - stride + 1) // 2  # SAME, sizes that stride divides
        return self.add(
            "Conv",
            [
                x,
                self.constant(f"{name}/weight", (weight * factor[:, None, None, None]).astype(np.float32)),
                self.constant(f"{name}/bias", (beta - mean * factor).astype(np.float32)),
            ],
            name,
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=groups,
        )

    def relu6(self, x):
        return self.add("Clip", [x, "zero", "six"], f"{x}/relu6")

    def block(self, x, index, stride, expansion, channels_in, channels):
        name, layer = f"block{index}", f"_blocks.{index}"
        y, wide = x, channels_in * expansion
        if expansion != 1:
            y = self.relu6(self.convolution(y, f"{name}/expand", f"{layer}._expand_conv", f"{layer}._bn0"))
        y = self.convolution(y, f"{name}/depthwise", f"{layer}._depthwise_conv", f"{layer}._bn1", stride, wide)
        y = self.convolution(self.relu6(y), f"{name}/project", f"{layer}._project_conv", f"{layer}._bn2")
        skip = stride == 1 and channels_in == channels
        return self.add("Add", [x, y], f"{name}/add") if skip else y


def build(weights, whole=False):
    """The feature graph, or the whole classifier for the check."""
    b = Builder(weights)
    b.constant("zero", np.float32(0))
    b.constant("six", np.float32(6))
    x = b.relu6(b.convolution("images", "stem", "_conv_stem", "_bn0", 2))
    index, channels_in, outputs = 0, 32, []
    for stage, (repeats, _, stride, expansion, channels) in enumerate(STAGES):
        for repeat in range(repeats):
            x = b.block(x, index, stride if repeat == 0 else 1, expansion, channels_in, channels)
            index, channels_in = index + 1, channels
        if stage in FEATURES and not whole:
            name, step, count = FEATURES[stage]
            b.add("Identity", [x], name)
            shape = ["N", count, f"H/{step}", f"W/{step}"]
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
            if len(outputs) == len(FEATURES):
                break
    if whole:
        x = b.relu6(b.convolution(x, "head", "_conv_head", "_bn1"))
        x = b.add("Flatten", [b.add("GlobalAveragePool", [x], "pool")], "flat")
        matrix, bias = b.constant("fc/weight", weights["_fc.weight"]), b.constant("fc/bias", weights["_fc.bias"])
        b.add("Softmax", [b.add("Gemm", [x, matrix, bias], "fc", transB=1)], "classes")
        outputs = [helper.make_tensor_value_info("classes", TensorProto.FLOAT, ["N", 1000])]
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["N", 3, "H", "W"])
    graph = helper.make_graph(b.nodes, "efficientnet-lite0", [images], outputs, b.values)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    model.doc_string = "EfficientNet-Lite0 to stride 16, Apache-2.0; made by models/efficientnet-lite0/recipe of Parapet"
    onnx.checker.check_model(model, full_check=True)
    return model


def check_eagle(weights, path):
    from PIL import Image

    session = ort.InferenceSession(build(weights, whole=True).SerializeToString(), providers=["CPUExecutionProvider"])
    picture = Image.open(path).convert("RGB")
    w, h = picture.size
    side = min(w, h)
    left, top = (w - side) // 2, (h - side) // 2
    picture = picture.crop((left, top, left + side, top + side)).resize((224, 224), Image.Resampling.BICUBIC)
    tensor = ((np.asarray(picture, np.float32) - MEAN) / STD).transpose(2, 0, 1)[None]
    classes = session.run(None, {"images": np.ascontiguousarray(tensor)})[0][0]
    print(f"{path} is class {classes.argmax()} with probability {classes.max():.3f}")
    assert classes.argmax() == 22, "the classifier does not see the eagle: weights or padding are wrong"


def check_batch(path):
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(1)
    for height, width in ((256, 256), (128, 320), (16, 48)):
        batch = random.standard_normal((3, 3, height, width), dtype=np.float32)
        together = session.run(None, {"images": batch})
        for i in range(3):
            for t, a in zip(together, session.run(None, {"images": batch[i : i + 1]})):
                assert abs(t[i] - a[0]).max() < 1e-4, "a batch differs from single pictures"
        sizes = [(a.shape[2], a.shape[3]) for a in together]
        assert sizes == [(height // 8, width // 8), (height // 16, width // 16)], sizes


def main(source, target, *eagle):
    weights = read_weights(source)
    if eagle:
        check_eagle(weights, eagle[0])
    onnx.save(build(weights), target)
    check_batch(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
