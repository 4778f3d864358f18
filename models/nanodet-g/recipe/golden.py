"""Golden outputs of every variant -> golden/golden.json, which Parapet's decoder and sessions are tested against.

    python golden.py MODEL_FOLDER [--measure]

Two kinds. `raw`: a tensor made by a formula, and values of the session's outputs, and (fp32) what they decode to: no picture. `pictures`:
the whole way from a JPEG file to detections. How far those may differ is measured here by going other good ways to the
input (4:2:0 planes shrunk one by one as a video decoder's frame is, other shrinking filters); a detection that does not
survive them all is listed as not required. `--measure` prints what was found.
"""
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
import reference  # noqa: E402
from reference import Detections, Model, prepare, read_picture, tensor_of  # noqa: E402

SIZES = [(416, 416), (640, 640), (640, 384)]
THRESHOLD = 0.35
SCORE_TOLERANCE = {"fp32": 0.08, "int8": 0.10}
IOU_AT_LEAST = {"fp32": 0.85, "int8": 0.80}
RAW_SHAPES = {(1, 3, 416, 416): 0.098, (2, 3, 64, 96): 0.07}  # and a threshold that no score comes near
RAW_FORMULA = "x[n][c][j][i] = 2 sin(0.11 i + 0.07 j + 1.3 c + 0.5 n) cos(0.05 j - 0.03 i), in f64, then f32; i column, j row"
# int8: input noise of 1e-6 alone moves single values by up to 0.017 (scores) and 0.45 (distance bins).
RAW_TOLERANCE = {"fp32": {"cls": 1e-4, "dist": 1e-4}, "int8": {"cls": 0.05, "dist": 1.0}}


def raw_tensor(shape):
    n, c, j, i = np.indices(shape, dtype=np.float64)
    return (2 * np.sin(0.11 * i + 0.07 * j + 1.3 * c + 0.5 * n) * np.cos(0.05 * j - 0.03 * i)).astype(np.float32)


def raw_golden(model, variant):
    for shape, threshold in RAW_SHAPES.items():
        tensor = raw_tensor(shape)
        arrays = model.run(tensor)
        outputs = {}
        for name, array in sorted(arrays.items()):
            spread = np.linspace(0, array.size - 1, 5, dtype=int).tolist()
            chosen = sorted({int(array.argmax()), int(array.argmin()), *spread})
            at = [[int(k) for k in np.unravel_index(index, array.shape)] for index in chosen]
            outputs[name] = {
                "shape": list(array.shape),
                "tolerance": RAW_TOLERANCE[variant][name.split("_")[0]],
                "values": [{"at": k, "value": round(float(array[tuple(k)]), 6)} for k in at],
            }
        probes = [(0, 0, 0, 0), (0, 1, 2, 3), (0, 2, 63, 95)]
        record = {
            "variant": variant,
            "shape": list(shape),
            "input": [{"at": list(k), "value": round(float(tensor[k]), 6)} for k in probes],
            "outputs": outputs,
        }
        if variant == "fp32":
            record["threshold"] = threshold
            record["detections"] = [
                [
                    {"class": model.classes[kind], "score": round(float(score), 5), "box": [round(float(v), 3) for v in box]}
                    for box, score, kind in zip(found.boxes, found.scores, found.classes)
                ]
                for n in range(shape[0])
                for found in [model.decode({k: a[n] for k, a in arrays.items()}, (shape[3], shape[2]), threshold)]
            ]
        yield record


def shrunk_as_planes(picture, placement, size, pad):
    """The picture as 8-bit 4:2:0 video (BT.601, video range), each plane shrunk by itself, then RGB."""
    rgb = picture.astype(np.float32)
    h, w, _ = picture.shape
    luma = 16 + rgb @ np.array([65.481, 128.553, 24.966], np.float32) / 255
    blue = 128 + rgb @ np.array([-37.797, -74.203, 112.0], np.float32) / 255
    red = 128 + rgb @ np.array([112.0, -93.786, -18.214], np.float32) / 255
    byte = lambda a: np.clip(np.floor(a + 0.5), 0, 255).astype(np.uint8)[:, :, None]  # noqa: E731
    even = lambda a: a[: h - h % 2, : w - w % 2].reshape(h // 2, 2, w // 2, 2).mean((1, 3))  # noqa: E731
    inner = (placement.inner_width, placement.inner_height)
    luma, blue, red = (
        reference.resize(byte(p), *inner)[:, :, 0].astype(np.float32) for p in (luma, even(blue), even(red))
    )
    luma, blue, red = 1.164383 * (luma - 16), blue - 128, red - 128
    rgb = np.stack([luma + 1.596027 * red, luma - 0.391762 * blue - 0.812968 * red, luma + 2.017232 * blue], 2)
    return np.clip(np.floor(rgb + 0.5), 0, 255).astype(np.uint8)


def other_ways(picture, size, spec):
    """Tensors of the same picture by other good preprocessing."""
    _, placement = prepare(picture, size, spec)
    inner = (placement.inner_width, placement.inner_height)
    for content in (
        shrunk_as_planes(picture, placement, size, spec["pad"]),
        np.asarray(Image.fromarray(picture).resize(inner, Image.Resampling.BOX)),
        np.asarray(Image.fromarray(picture).resize(inner, Image.Resampling.BILINEAR)),
    ):
        canvas = np.full((size[1], size[0], 3), spec["pad"], np.uint8)
        canvas[placement.top : placement.top + inner[1], placement.left : placement.left + inner[0]] = content
        yield tensor_of(canvas, spec), placement


def overlap(a, b):
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    both = max(w, 0) * max(h, 0)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def match(box, score, kind, found):
    """The detection of the same class that overlaps most: IoU and difference of score."""
    same = [(overlap(box, b), abs(score - s)) for b, s, k in zip(found.boxes, found.scores, found.classes) if k == kind]
    return max(same, default=(0.0, 1.0))


def decoded(model, tensor, placement, size, threshold):
    outputs = {name: array[0] for name, array in model.run(tensor).items()}
    found = model.decode(outputs, size, threshold)
    return Detections(placement.in_frame(found.boxes), found.scores, found.classes)


def picture_golden(model, variant, path, size, measure):
    tolerance, iou = SCORE_TOLERANCE[variant], IOU_AT_LEAST[variant]
    spec, picture = model.manifest["input"], read_picture(path)
    tensor, placement = prepare(picture, size, spec)
    low, high = THRESHOLD - tolerance, THRESHOLD + tolerance
    found = decoded(model, tensor, placement, size, low)
    others = [decoded(model, *way, size, low - tolerance) for way in other_ways(picture, size, spec)]
    rows = []
    for box, score, kind in zip(found.boxes, found.scores, found.classes):
        met = [match(box, score, kind, other) for other in others]
        worst = min(m[0] for m in met), max(m[1] for m in met)
        survives = worst[0] > (1 + iou) / 2 - 0.05 and worst[1] < 0.75 * tolerance
        rows.append(
            {
                "class": model.classes[kind],
                "score": round(float(score), 4),
                "box": [round(float(v), 5) for v in box],
                "required": bool(score >= high and survives),
            }
        )
        if measure and score >= THRESHOLD:
            print(f"{variant} {size} {path.name:<18} {model.classes[kind]:<10} {score:.3f} worst IoU {worst[0]:.3f}, score off {worst[1]:.3f}")
    for other in others:
        for box, score, kind in zip(other.boxes, other.scores, other.classes):
            if score >= high + 0.02 and match(box, score, kind, found)[0] < iou and measure:
                print(f"{variant} {size} {path.name:<18} only by another way: {model.classes[kind]} {score:.3f}")
    return {
        "picture": path.name,
        "variant": variant,
        "size": list(size),
        "letterbox": {
            "left": placement.left,
            "top": placement.top,
            "inner_width": placement.inner_width,
            "inner_height": placement.inner_height,
        },
        "detections": rows,
    }


def main(folder, *flags):
    golden = Path(folder) / "golden"
    raw, pictures = [], []
    variants = list(Model(folder).manifest["variants"])
    for variant in variants:
        model = Model(folder, variant)
        raw += list(raw_golden(model, variant))
        for path in sorted(golden.glob("*.jpg")):
            pictures += [picture_golden(model, variant, path, size, "--measure" in flags) for size in SIZES]
    document = {
        "about": "See models/README.md, Golden outputs. Made by recipe/golden.py.",
        "threshold": THRESHOLD,
        "nms_iou": model.manifest["thresholds"]["nms_iou"],
        "tolerance": {
            v: {"score": SCORE_TOLERANCE[v], "iou_at_least": IOU_AT_LEAST[v]} for v in variants
        },
        "raw_input": RAW_FORMULA,
    }
    head = json.dumps(document, indent=1)[:-2]
    lists = [
        f' "{key}": [\n' + ",\n".join("  " + json.dumps(r) for r in rows) + "\n ]"
        for key, rows in (("raw", raw), ("pictures", pictures))
    ]
    (golden / "golden.json").write_text(head + ",\n" + ",\n".join(lists) + "\n}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
