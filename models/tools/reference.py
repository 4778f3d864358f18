"""Reference of what a manifest means: picture -> tensor -> detections, for every family that models/README.md names.

Written for clearness; Parapet's own decoder is tested against what this computes.

    python reference.py MODEL_FOLDER VARIANT WIDTHxHEIGHT PICTURE...
"""
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from PIL import Image

COCO80 = (
    "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,"
    "bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,"
    "skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,wine glass,"
    "cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,"
    "potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,"
    "refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush"
).split(",")


@dataclass
class Placement:
    """Where the picture lies in the network's input, in pixels of the input."""

    left: int
    top: int
    inner_width: int
    inner_height: int

    def in_frame(self, boxes):
        """Boxes (x1, y1, x2, y2) in input pixels -> 0..1 of the picture."""
        origin = np.array([self.left, self.top] * 2, np.float64)
        size = np.array([self.inner_width, self.inner_height] * 2, np.float64)
        return np.clip((boxes - origin) / size, 0.0, 1.0)


@dataclass
class Detections:
    boxes: np.ndarray  # [K, 4] x1, y1, x2, y2
    scores: np.ndarray  # [K]
    classes: np.ndarray  # [K]

    def __getitem__(self, index):
        return Detections(self.boxes[index], self.scores[index], self.classes[index])


def place(picture_size, input_size, fit):
    (w, h), (width, height) = picture_size, input_size
    if fit == "stretch":
        return Placement(0, 0, width, height)
    scale = min(width / w, height / h)
    inner_width = min(max(int(w * scale + 0.5), 1), width)
    inner_height = min(max(int(h * scale + 0.5), 1), height)
    if fit == "top-left":
        return Placement(0, 0, inner_width, inner_height)
    return Placement((width - inner_width) // 2, (height - inner_height) // 2, inner_width, inner_height)


def resize_weights(source, target):
    """[target, source] matrix: area average when shrinking, bilinear at half-pixel centres when growing."""
    weights = np.zeros((target, source))
    for i in range(target):
        if target <= source:
            low, high = i * source / target, (i + 1) * source / target
            for j in range(int(low), min(int(np.ceil(high)), source)):
                weights[i, j] = min(high, j + 1) - max(low, j)
        else:
            centre = (i + 0.5) * source / target - 0.5
            j = int(np.floor(centre))
            for k, weight in ((j, 1 - (centre - j)), (j + 1, centre - j)):
                weights[i, min(max(k, 0), source - 1)] += weight
        weights[i] /= weights[i].sum()
    return weights


def resize(picture, width, height):
    """uint8 [h, w, 3] -> uint8 [height, width, 3], rounded half up."""
    rows = resize_weights(picture.shape[0], height).astype(np.float32)
    columns = resize_weights(picture.shape[1], width).astype(np.float32)
    down = np.tensordot(rows, picture.astype(np.float32), axes=(1, 0))
    both = np.tensordot(columns, down, axes=(1, 1)).transpose(1, 0, 2)
    return np.clip(np.floor(both + 0.5), 0, 255).astype(np.uint8)


def tensor_of(canvas, spec):
    """uint8 RGB canvas -> f32 [1, 3, H, W] as the manifest's [input] says."""
    planes = canvas[:, :, ::-1] if spec["channels"] == "bgr" else canvas
    mean = np.array(spec.get("mean", [0, 0, 0]), np.float32)
    std = np.array(spec.get("std", [1, 1, 1]), np.float32)
    values = (planes.astype(np.float32) * np.float32(spec.get("scale", 1.0)) - mean) / std
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None])


def prepare(picture, size, spec):
    """uint8 RGB picture -> tensor and its placement."""
    placement = place((picture.shape[1], picture.shape[0]), size, spec["fit"])
    canvas = np.full((size[1], size[0], 3), spec.get("pad", 0), np.uint8)
    canvas[
        placement.top : placement.top + placement.inner_height,
        placement.left : placement.left + placement.inner_width,
    ] = resize(picture, placement.inner_width, placement.inner_height)
    return tensor_of(canvas, spec), placement


def cells(size, stride):
    """Columns and rows (i, j) of every cell of a stride, row by row."""
    columns, rows = -(-size[0] // stride), -(-size[1] // stride)
    j, i = np.divmod(np.arange(columns * rows), columns)
    return i, j


def best(boxes, scores, threshold):
    classes = scores.argmax(1)
    scores = scores.max(1)
    return Detections(boxes, scores, classes)[scores > threshold]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def decode_nanodet(family, outputs, size, threshold):
    bins = family["reg_max"] + 1
    layout = family["outputs"]
    boxes, scores, start = [], [], 0
    for stride in family["strides"]:
        i, j = cells(size, stride)
        if "per_stride" in layout:
            score = outputs[layout["per_stride"]["scores"].format(stride=stride)]
            side = outputs[layout["per_stride"]["distances"].format(stride=stride)]
        else:
            rows = outputs[layout["joined"]["tensor"]][start : start + len(i)]
            score, side = rows[:, : -4 * bins], rows[:, -4 * bins :]
            start += len(i)
        assert len(score) == len(i), (stride, len(score), len(i))
        side = side.reshape(-1, 4, bins).astype(np.float64)
        side = np.exp(side - side.max(2, keepdims=True))
        side = (side / side.sum(2, keepdims=True)) @ np.arange(bins) * stride
        x, y = (i + family["centre"]) * stride, (j + family["centre"]) * stride
        boxes.append(np.stack([x - side[:, 0], y - side[:, 1], x + side[:, 2], y + side[:, 3]], 1))
        scores.append(score)
    scores = np.concatenate(scores)
    scores = sigmoid(scores) if family["scores"] == "logit" else scores
    return best(np.concatenate(boxes), scores, threshold)


def corners(centre_boxes):
    centre, half = centre_boxes[:, :2], centre_boxes[:, 2:4] / 2
    return np.concatenate([centre - half, centre + half], 1)


def decode_yolox(family, outputs, size, threshold):
    rows = outputs[family["tensor"]].astype(np.float64)
    grid = [(i, j, np.full(len(i), s)) for s in family["strides"] for i, j in [cells(size, s)]]
    i, j, stride = (np.concatenate(x) for x in zip(*grid))
    assert len(rows) == len(i), (len(rows), len(i))
    boxes = np.stack(
        [(rows[:, 0] + i) * stride, (rows[:, 1] + j) * stride, np.exp(rows[:, 2]) * stride, np.exp(rows[:, 3]) * stride],
        1,
    )
    return best(corners(boxes), rows[:, 4:5] * rows[:, 5:], threshold)


def decode_yolo(family, outputs, size, threshold):
    if "end_to_end" in family:
        rows = outputs[family["end_to_end"]["tensor"]]
        rows = rows[rows[:, 4] > threshold]
        return Detections(rows[:, :4].astype(np.float64), rows[:, 4], rows[:, 5].astype(int))
    raw = family["raw"]
    rows = outputs[raw["tensor"]].astype(np.float64)
    rows = rows.T if raw["layout"] == "columns" else rows
    scores = rows[:, 4:5] * rows[:, 5:] if raw["objectness"] else rows[:, 4:]
    return best(corners(rows), scores, threshold)


def decode_detr(family, outputs, size, threshold):
    if "selected" in family:
        names = family["selected"]
        found = Detections(
            outputs[names["boxes"]].astype(np.float64), outputs[names["scores"]], outputs[names["labels"]].astype(int)
        )
        return found[found.scores > threshold]
    raw = family["raw"]
    logits = outputs[raw["logits"]].astype(np.float64)
    if raw["activation"] == "softmax":
        scores = np.exp(logits - logits.max(1, keepdims=True))
        scores = (scores / scores.sum(1, keepdims=True))[:, :-1]
    else:
        scores = sigmoid(logits)
    return best(corners(outputs[raw["boxes"]] * np.array([*size, *size])), scores, threshold)


DECODE = {"nanodet": decode_nanodet, "yolox": decode_yolox, "yolo": decode_yolo, "detr": decode_detr}


def suppress(found, iou, class_agnostic):
    """Greedy NMS: best score first; ties keep the earlier candidate. Drops IoU > iou."""
    order = np.argsort(-found.scores, kind="stable")
    found = found[order]
    x1, y1, x2, y2 = found.boxes.T
    area = np.maximum(x2 - x1, 0) * np.maximum(y2 - y1, 0)
    alive = np.ones(len(order), bool)
    for k in range(len(order)):
        if not alive[k]:
            continue
        overlap = np.maximum(np.minimum(x2[k], x2) - np.maximum(x1[k], x1), 0)
        overlap = overlap * np.maximum(np.minimum(y2[k], y2) - np.maximum(y1[k], y1), 0)
        union = area[k] + area - overlap
        drop = overlap > iou * np.maximum(union, 1e-12)
        if not class_agnostic:
            drop &= found.classes == found.classes[k]
        drop[: k + 1] = False
        alive &= ~drop
    return found[alive]


def in_onnx_runtime(file):
    """Inputs by name -> outputs by name."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda feed: dict(zip(names, session.run(None, feed)))


def in_bf16(file):
    """The same by OpenVINO, which computes 32-bit weights as bfloat16 on processors that have it (AVX512-BF16, AMX)."""
    import openvino

    options = {"INFERENCE_PRECISION_HINT": "bf16", "INFERENCE_NUM_THREADS": 1}
    compiled = openvino.compile_model(str(file), "CPU", options)
    assert compiled.get_property("INFERENCE_PRECISION_HINT").to_string() == "bf16", "this processor has no bf16"
    return lambda feed: {name: array for output, array in compiled(feed).items() for name in output.names}


class Model:
    """A manifest and one session of one of its variants, on one thread."""

    def __init__(self, folder, variant="fp32", file=None):
        self.manifest = tomllib.loads((Path(folder) / "model.toml").read_text())
        weights = "fp32" if variant == "bf16" else variant
        file = file or Path(folder) / self.manifest["variants"][weights]["file"]
        self.forward = in_bf16(file) if variant == "bf16" else in_onnx_runtime(file)
        self.family, self.spec = next(iter(self.manifest["family"].items()))
        classes = self.manifest.get("classes", {})
        self.classes = COCO80 if classes.get("set") == "coco80" else classes.get("names")

    def run(self, tensor):
        """Output name -> array, batch included."""
        feed = {self.manifest["input"]["tensor"]: tensor}
        sizes = self.spec.get("selected", {}).get("sizes")
        if sizes:
            feed[sizes] = np.array([[tensor.shape[3], tensor.shape[2]]] * len(tensor), np.int64)
        return self.forward(feed)

    def decode(self, outputs, size, threshold):
        """Outputs of one picture -> detections after NMS, boxes in input pixels."""
        found = DECODE[self.family](self.spec, outputs, size, threshold)
        limits = self.manifest["thresholds"]
        if "nms_iou" not in limits:
            return found[np.argsort(-found.scores, kind="stable")]
        return suppress(found, limits["nms_iou"], limits.get("class_agnostic", False))

    def detect(self, picture, size, threshold=None):
        """RGB uint8 picture -> detections with boxes in 0..1 of the picture, and the placement."""
        threshold = self.manifest["thresholds"]["score"] if threshold is None else threshold
        tensor, placement = prepare(picture, size, self.manifest["input"])
        outputs = {name: array[0] for name, array in self.run(tensor).items()}
        found = self.decode(outputs, size, threshold)
        return Detections(placement.in_frame(found.boxes), found.scores, found.classes), placement


def read_picture(path):
    return np.asarray(Image.open(path).convert("RGB"))


def parse_size(text):
    width, height = (int(x) for x in text.split("x"))
    return width, height


if __name__ == "__main__":
    model = Model(sys.argv[1], sys.argv[2])
    for path in sys.argv[4:]:
        found, _ = model.detect(read_picture(path), parse_size(sys.argv[3]))
        print(path)
        for box, score, kind in zip(found.boxes, found.scores, found.classes):
            print(f"  {score:.3f} {model.classes[kind]:<14}", " ".join(f"{v:.4f}" for v in box))
