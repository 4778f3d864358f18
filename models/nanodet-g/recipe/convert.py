"""Published tfjs graph of NanoDet-g -> ONNX with a fixed 416x416 input (runs under requirements-convert.txt).

A tfjs graph is a TensorFlow GraphDef written as JSON with its weights in a binary file. It is read without the
`tensorflowjs` package: the JSON becomes a GraphDef again, fused operators are taken apart, what depends on no
input is folded, and tf2onnx does the rest.

    python convert.py NANODET_JSON OUT_ONNX
"""
import base64
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np  # noqa: E402
import onnx  # noqa: E402
import tensorflow as tf  # noqa: E402
import tf2onnx  # noqa: E402
from google.protobuf import json_format  # noqa: E402
from tensorflow.core.framework import graph_pb2  # noqa: E402

INPUT, SHAPE = "input_1", (1, 3, 416, 416)
OUTPUTS = ["Identity"] + [f"Identity_{i}" for i in range(1, 6)]
TYPES = {1: "DT_FLOAT", 3: "DT_INT32", 4: "DT_UINT8", 7: "DT_STRING", 9: "DT_INT64", 10: "DT_BOOL", 20: "DT_RESOURCE"}
# Attributes of the fused operators that the plain ones do not have.
FUSED_ONLY = (
    "fused_ops epsilon num_args leakyrelu_alpha TArgs num_host_args host_args use_cudnn_on_gpu explicit_paddings"
).split()


def read_weights(manifest, folder):
    """Name -> array. Weights are stored as they are, as float16, or as integers with scale and minimum."""
    weights = {}
    for group in manifest:
        data = b"".join(open(os.path.join(folder, path), "rb").read() for path in group["paths"])
        at = 0
        for entry in group["weights"]:
            count = int(np.prod(entry["shape"])) if entry["shape"] else 1
            quantization = entry.get("quantization")
            stored = np.dtype(quantization["dtype"] if quantization else entry["dtype"])
            array = np.frombuffer(data, stored, count, at)
            at += count * stored.itemsize
            if quantization and quantization["dtype"] != "float16":
                array = array.astype(np.float32) * quantization["scale"] + quantization["min"]
            weights[entry["name"]] = array.astype(entry["dtype"]).reshape(entry["shape"])
        assert at == len(data), f"weights are {at} bytes, the file has {len(data)}"
    return weights


def as_bytes(value):
    return base64.b64encode(bytes(value)).decode() if isinstance(value, list) else value


def normalize(node):
    """tfjs writes enums as numbers and bytes as lists of numbers; protobuf's JSON wants names and base64."""
    if isinstance(node, list):
        return [normalize(x) for x in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("list"), dict):
        kept = {k: v for k, v in node["list"].items() if v}
        if "s" in kept:
            kept["s"] = [as_bytes(x) for x in kept["s"]]
        if "type" in kept:
            kept["type"] = [TYPES.get(x, x) for x in kept["type"]]
        return {"list": kept}
    result = {}
    for key, value in node.items():
        if key == "type" and isinstance(value, int):
            value = TYPES[value]
        if key == "s" and isinstance(value, list) and (not value or isinstance(value[0], int)):
            value = as_bytes(value)
        result[key] = normalize(value)
    return result


def read_graph(path):
    with open(path) as file:
        document = json.load(file)
    weights = read_weights(document["weightsManifest"], os.path.dirname(path))
    graph = graph_pb2.GraphDef()
    for node in normalize(document["modelTopology"]["node"]):
        if node["op"] == "Const":
            const = graph.node.add(name=node["name"], op="Const")
            # The file stores int64 as int32; the node says what it is.
            dtype = tf.as_dtype(node["attr"]["dtype"]["type"].removeprefix("DT_").lower().replace("float", "float32"))
            array = weights[node["name"]].astype(dtype.as_numpy_dtype)
            const.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(array))
            const.attr["dtype"].type = const.attr["value"].tensor.dtype
        else:
            json_format.ParseDict(node, graph.node.add(), ignore_unknown_fields=True)
    return graph


def unfuse(graph):
    """_FusedConv2D with bias and activation -> Conv2D, BiasAdd, activation."""
    result = graph_pb2.GraphDef()
    for node in graph.node:
        if node.op not in ("_FusedConv2D", "FusedDepthwiseConv2dNative"):
            result.node.add().CopyFrom(node)
            continue
        fused = [x.decode() for x in node.attr["fused_ops"].list.s]
        assert fused[0] == "BiasAdd" and fused[1:] in ([], ["Relu"], ["Relu6"]), fused
        conv = result.node.add()
        conv.CopyFrom(node)
        conv.name = f"{node.name}/_conv"
        conv.op = "Conv2D" if node.op == "_FusedConv2D" else "DepthwiseConv2dNative"
        for key in FUSED_ONLY:
            if key in conv.attr:
                del conv.attr[key]
        del conv.input[2:]
        bias = result.node.add(op="BiasAdd", name=f"{node.name}/_bias" if fused[1:] else node.name)
        bias.input.extend([conv.name, node.input[2]])
        bias.attr["T"].type = 1
        if fused[1:]:
            activation = result.node.add(op=fused[1], name=node.name, input=[bias.name])
            activation.attr["T"].type = 1
    return result


def producer(name):
    return name.lstrip("^").split(":")[0]


def cut(graph):
    """Keep what the outputs need, with a placeholder for the input."""
    nodes = {n.name: n for n in graph.node}
    seen, todo = set(), list(OUTPUTS)
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            if name != INPUT:
                todo.extend(producer(i) for i in nodes[name].input)
    result = graph_pb2.GraphDef()
    placeholder = result.node.add(name=INPUT, op="Placeholder")
    placeholder.attr["dtype"].type = 1
    for size in SHAPE:
        placeholder.attr["shape"].shape.dim.add().size = size
    for node in graph.node:
        if node.name in seen and node.name != INPUT:
            kept = result.node.add()
            kept.CopyFrom(node)
            if "use_cudnn_on_gpu" in kept.attr:
                del kept.attr["use_cudnn_on_gpu"]
    return result


def fold(graph):
    """Evaluate what depends on no input (the graph computes its weights' shapes and transposes at run time)."""
    nodes = {n.name: n for n in graph.node}
    live = {}

    def depends(name):
        if name not in live:
            node = nodes[name]
            live[name] = node.op == "Placeholder" or any([depends(producer(i)) for i in node.input])
        return live[name]

    sys.setrecursionlimit(10_000)
    for name in nodes:
        depends(name)
    wanted = {producer(i) for n in graph.node if live[n.name] for i in n.input}
    constants = sorted(n for n in wanted if not live[n] and nodes[n].op != "Const")
    with tf.Graph().as_default() as scope:
        tf.import_graph_def(graph, name="")
        with tf.compat.v1.Session(graph=scope) as session:
            values = dict(zip(constants, session.run([f"{c}:0" for c in constants])))
    result = graph_pb2.GraphDef()
    for node in graph.node:
        if node.name in values:
            const = result.node.add(name=node.name, op="Const")
            const.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(values[node.name]))
            const.attr["dtype"].type = const.attr["value"].tensor.dtype
        elif live[node.name] or node.op == "Const":
            result.node.add().CopyFrom(node)
    return result


def main(source, target):
    graph = fold(cut(unfuse(read_graph(source))))
    with tf.Graph().as_default():
        tf.import_graph_def(graph, name="")
    model, _ = tf2onnx.convert.from_graph_def(
        graph, input_names=[f"{INPUT}:0"], output_names=[f"{o}:0" for o in OUTPUTS], opset=13
    )
    onnx.save(model, target)


if __name__ == "__main__":
    main(*sys.argv[1:])
