"""COCO accuracy of a model on the labelled sets, by pycocotools, only for the classes that a set labels.

    python evaluate.py MODEL_FOLDER FOOTAGE [--variant fp32 int8] [--size 416x416 640x640] [--set NAME...] [--file ONNX]

FOOTAGE has `labelled/<set>/images`, `labelled/<set>/labels` (YOLO text, COCO-80 ids) and `aerial/<set>/…` alike. Pictures that
an int8 variant was calibrated on are left out. Prints one TOML line for each result, ready for the manifest's [accuracy].
"""
import argparse
import contextlib
import csv
import io
from pathlib import Path

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from reference import COCO80, Model, parse_size, read_picture

# Set -> classes that are labelled exhaustively, and classes that the set's labels call otherwise.
SETS = {
    "labelled/coco128": (range(80), {}),
    "labelled/bicycle_street": ([1], {}),
    "labelled/bicycle_parked": ([1], {}),
    "labelled/street_motorbike_car_bus": ([2, 3, 5], {}),
    "labelled/lotcam_stills": ([7], {}),
    "labelled/davis_dog": ([16], {}),
    "labelled/ebike_elevator": ([3], {}),
    "aerial/drone_cars": ([2], {5: 2, 7: 2}),  # every vehicle is "car" there
    "aerial/aerial_cars": ([2, 5, 7], {}),
}
BY_CLASS = {"labelled/street_motorbike_car_bus", "aerial/aerial_cars"}
KEEP_ABOVE = 0.02  # candidates below it cannot change AP visibly and cost much NMS


def calibration_pictures(folder):
    """Pictures that any model beside this one was calibrated on, so that all are measured on the same ones."""
    paths = set()
    for table in Path(folder).resolve().parent.glob("*/recipe/calibration.tsv"):
        with open(table, newline="") as file:
            paths |= {row["path"] for row in csv.DictReader(file, delimiter="\t")}
    return paths


def truth_of(footage, name, skip):
    """COCO dictionary of a set and the pictures' paths by id."""
    root = Path(footage) / name
    images, annotations, paths = [], [], {}
    for path in sorted((root / "images").iterdir()):
        if f"{name}/images/{path.name}" in skip:
            continue
        number = len(images) + 1
        picture = read_picture(path)
        height, width = picture.shape[:2]
        images.append({"id": number, "width": width, "height": height})
        paths[number] = path
        label = root / "labels" / f"{path.stem}.txt"
        for line in label.read_text().splitlines() if label.exists() else []:
            kind, x, y, w, h = (float(v) for v in line.split()[:5])
            box = [(x - w / 2) * width, (y - h / 2) * height, w * width, h * height]
            annotations.append(
                {"id": len(annotations) + 1, "image_id": number, "category_id": int(kind), "bbox": box,
                 "area": box[2] * box[3], "iscrowd": 0}
            )
    categories = [{"id": i, "name": n} for i, n in enumerate(COCO80)]
    return {"images": images, "annotations": annotations, "categories": categories}, paths


def predictions(model, paths, size, classes, rename):
    wanted, results = set(classes), []
    for number, path in paths.items():
        picture = read_picture(path)
        height, width = picture.shape[:2]
        found, _ = model.detect(picture, size, KEEP_ABOVE)
        for (x1, y1, x2, y2), score, kind in zip(found.boxes, found.scores, found.classes):
            kind = rename.get(int(kind), int(kind))
            if kind in wanted:
                box = [x1 * width, y1 * height, (x2 - x1) * width, (y2 - y1) * height]
                results.append({"image_id": number, "category_id": kind, "bbox": box, "score": float(score)})
    return results


def score(truth, results, classes):
    """AP 50-95 and AP 50 over the classes that have boxes."""
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        if not results:
            return 0.0, 0.0
        run = COCOeval(coco, coco.loadRes(results), "bbox")
        run.params.catIds = sorted(classes)
        run.evaluate()
        run.accumulate()
    precision = run.eval["precision"][:, :, :, 0, -1]  # IoU, recall, class; -1 where a class has no box
    mean = lambda p: float(np.mean(p[p > -1])) if (p > -1).any() else 0.0  # noqa: E731
    return mean(precision), mean(precision[0])


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder")
    arguments.add_argument("footage")
    arguments.add_argument("--variant", nargs="+", default=["fp32"])
    arguments.add_argument("--size", nargs="+", default=["416x416"])
    arguments.add_argument("--set", nargs="+", default=list(SETS))
    arguments.add_argument("--file", help="this ONNX file instead of the manifest's (for one that is not committed)")
    options = arguments.parse_args()
    skip = calibration_pictures(options.folder)
    for name in options.set:
        classes, rename = SETS[name]
        truth, paths = truth_of(options.footage, name, skip)
        present = {a["category_id"] for a in truth["annotations"]}
        groups = {name.split("/")[1]: classes}
        if name in BY_CLASS:
            groups = {f"{name.split('/')[1]}/{COCO80[c]}": [c] for c in classes if c in present}
        for variant in options.variant:
            model = Model(options.folder, variant, options.file)
            for text in options.size:
                size = parse_size(text)
                results = predictions(model, paths, size, classes, rename)
                for group, kinds in groups.items():
                    ap, ap50 = score(truth, [r for r in results if r["category_id"] in set(kinds)], kinds)
                    print(
                        f'    {{ set = "{group}", variant = "{variant}", size = [{size[0]}, {size[1]}], '
                        f"images = {len(paths)}, values = {{ ap = {ap:.3f}, ap50 = {ap50:.3f} }} }},",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
