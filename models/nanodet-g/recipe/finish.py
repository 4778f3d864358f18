"""Raw ONNX of convert.py -> model.onnx: clean names, free batch, height and width, float16 storage, checked.

    python finish.py RAW_ONNX OUT_ONNX
"""
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper

STRIDE_OF_CELLS = {52 * 52: 8, 26 * 26: 16, 13 * 13: 32}  # of the 416x416 graph


def fold_pads(graph):
    """A Pad with zeros before a convolution, or with -inf before a maximum, is the operator's own padding."""
    values = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    made_by = {output: node for node in graph.node for output in node.output}
    folded = []
    for node in graph.node:
        pad = made_by.get(node.input[0]) if node.op_type in ("Conv", "MaxPool") else None
        if pad is None or pad.op_type != "Pad":
            continue
        amounts = values[pad.input[1]].tolist()
        filler = float(values[pad.input[2]]) if len(pad.input) > 2 and pad.input[2] in values else 0.0
        assert np.isneginf(filler) if node.op_type == "MaxPool" else filler == 0.0, (node.name, filler)
        assert sum(pad.output[0] in n.input for n in graph.node) == 1
        for attribute in list(node.attribute):
            if attribute.name in ("auto_pad", "pads"):
                assert attribute.name == "auto_pad" or not any(attribute.ints)
                node.attribute.remove(attribute)
        node.attribute.append(helper.make_attribute("pads", [amounts[2], amounts[3], amounts[6], amounts[7]]))
        node.input[0] = pad.input[0]
        folded.append(pad)
    for pad in folded:
        graph.node.remove(pad)
    return len(folded)


def rename(graph):
    """Input `images`; outputs `cls_s8/16/32` (probabilities) and `dist_s8/16/32` (bins of four sides)."""
    names = {graph.input[0].name: "images"}
    for output in graph.output:
        _, cells, width = (d.dim_value for d in output.type.tensor_type.shape.dim)
        names[output.name] = f"{'cls' if width == 80 else 'dist'}_s{STRIDE_OF_CELLS[cells]}"
    for node in graph.node:
        node.input[:] = [names.get(x, x) for x in node.input]
        node.output[:] = [names.get(x, x) for x in node.output]
    for value in [*graph.input, *graph.output]:
        value.name = names[value.name]
    ordered = sorted(graph.output, key=lambda o: (o.name.split("_s")[0], int(o.name.split("_s")[1])))
    del graph.output[:]
    graph.output.extend(ordered)


def free_dimensions(graph):
    """N, H and W become free; the reshapes at the end copy N (0) instead of naming it (1)."""
    for index, name in ((0, "N"), (2, "H"), (3, "W")):
        graph.input[0].type.tensor_type.shape.dim[index].dim_param = name
    for output in graph.output:
        shape = output.type.tensor_type.shape.dim
        shape[0].dim_param = "N"
        shape[1].dim_param = f"cells{output.name[output.name.index('_'):]}"
    values = {i.name: i for i in graph.initializer}
    for target in {n.input[1] for n in graph.node if n.op_type == "Reshape"}:
        shape = numpy_helper.to_array(values[target]).copy()
        assert shape[0] == 1 and shape[2] == -1, shape
        shape[0] = 0
        values[target].CopyFrom(numpy_helper.from_array(shape, target))
    del graph.value_info[:]


def store_as_float16(graph):
    """The published weights are float16, so storing them so again loses nothing; a Cast widens them on loading.

    Returns how many tensors stay float32 because they are not exactly float16 numbers."""
    casts, kept = [], 0
    for value in list(graph.initializer):
        array = numpy_helper.to_array(value)
        if array.dtype != np.float32 or array.size < 64:
            continue
        narrow = array.astype(np.float16)
        if not np.array_equal(narrow.astype(np.float32), array):
            kept += 1
            continue
        graph.initializer.remove(value)
        graph.initializer.append(numpy_helper.from_array(narrow, f"{value.name}/float16"))
        casts.append(helper.make_node("Cast", [f"{value.name}/float16"], [value.name], f"{value.name}/cast", to=1))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend(casts + nodes)
    return len(casts), kept


def make_canonical(graph):
    """One order and one set of names, whatever order the converter wrote (it differs from run to run): the same bytes."""
    made_by = {output: node for node in graph.node for output in node.output}
    values = {v.name: v for v in graph.initializer}
    ends = [v.name for v in graph.output]
    names = {v.name: v.name for v in [*graph.input, *graph.output]}
    nodes, kept = [], []

    def visit(node):
        for name in node.input:
            if name in made_by and made_by[name] not in nodes:
                visit(made_by[name])
        nodes.append(node)
        label = f"{node.op_type.lower()}_{len(nodes)}"
        for index, name in enumerate(node.input):
            if name in values and name not in names:
                names[name] = f"{label}/input_{index}"
                kept.append(values[name])
        for index, name in enumerate(node.output):
            names.setdefault(name, label if index == 0 else f"{label}/{index}")
        node.name = label

    for name in ends:
        if made_by[name] not in nodes:
            visit(made_by[name])
    for node in nodes:
        node.input[:] = [names[x] if x else "" for x in node.input]
        node.output[:] = [names[x] for x in node.output]
        attributes = sorted(node.attribute, key=lambda a: a.name)
        del node.attribute[:]
        node.attribute.extend(attributes)
    for value in kept:
        value.name = names[value.name]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)


def session(path_or_bytes):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(path_or_bytes, options, providers=["CPUExecutionProvider"])


def check(raw_path, path):
    """The finished graph against the raw one at 416x416, and a batch against its pictures one by one."""
    random = np.random.default_rng(1)
    one = random.standard_normal((1, 3, 416, 416), dtype=np.float32)
    raw, done = session(raw_path), session(path)
    shape_of = lambda a: a.shape[1:]  # noqa: E731
    want = {shape_of(a): a for a in raw.run(None, {raw.get_inputs()[0].name: one})}
    worst = max(float(abs(a - want[shape_of(a)]).max()) for a in done.run(None, {"images": one}))
    assert worst < 1e-5, f"differs from the raw graph by {worst}"
    print(f"against the raw graph: {worst:.1e}")
    for height, width in ((416, 416), (384, 640), (640, 640), (96, 32)):
        batch = random.standard_normal((3, 3, height, width), dtype=np.float32)
        together = done.run(None, {"images": batch})
        alone = [done.run(None, {"images": batch[i : i + 1]}) for i in range(3)]
        worst = max(float(abs(t[i] - a).max()) for i in range(3) for t, a in zip(together, alone[i]))
        assert worst < 1e-5, f"a batch differs from single pictures by {worst}"
        for output, array in zip(done.get_outputs(), together):
            stride = int(output.name.split("_s")[1])
            assert array.shape[:2] == (3, (height // stride) * (width // stride)), (output.name, array.shape)
        print(f"batch of 3 at {width}x{height} against single pictures: {worst:.1e}")


def main(raw_path, path):
    model = onnx.load(raw_path)
    graph = model.graph
    print("pads folded:", fold_pads(graph))
    rename(graph)
    free_dimensions(graph)
    print("tensors stored as float16 and kept as float32:", store_as_float16(graph))
    make_canonical(graph)
    graph.name = "nanodet-g"
    model.doc_string = "NanoDet-g, COCO-80, Apache-2.0; made by models/nanodet-g/recipe of Parapet"
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    check(raw_path, path)


if __name__ == "__main__":
    main(*sys.argv[1:])
