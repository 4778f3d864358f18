"""Scores cases with pycocotools, the original of crates/eval/src/metric/detection.

Usage: coco.py CASES.json FIGURES.json
"""
import contextlib
import io
import json
import sys

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


class WithIgnored(COCOeval):
    """pycocotools overwrites `ignore` with `iscrowd`; this puts it back before anything is matched."""

    def _prepare(self):
        super()._prepare()
        for truths in self._gts.values():
            for truth in truths:
                truth["ignore"] = truth["ignore"] or truth["left_out"]


def annotations(rows, truth):
    result = []
    for number, (image, category, x, y, width, height, *rest) in enumerate(rows, 1):
        one = {"id": number, "image_id": image, "category_id": category, "bbox": [x, y, width, height]}
        if truth:
            area, crowd, ignored = rest
            one.update(area=area, iscrowd=int(crowd), left_out=int(ignored))
        else:
            one.update(area=width * height, iscrowd=0, score=rest[0])
        result.append(one)
    return result


def coco(case, rows, truth):
    result = COCO()
    result.dataset = {
        "images": [{"id": image} for image in range(case["images"])],
        "categories": [{"id": category} for category in range(case["classes"])],
        "annotations": annotations(rows, truth),
    }
    result.createIndex()
    return result


def mean(values):
    values = values[values > -1]
    return float(values.mean()) if values.size else -1.0


def figures(case):
    evaluation = WithIgnored(coco(case, case["truth"], True), coco(case, case["found"], False), "bbox")
    evaluation.params.catIds = case["labelled"]
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    precision, recall = evaluation.eval["precision"], evaluation.eval["recall"]
    classes = [
        [
            mean(precision[:, :, index, 0, 2]),
            mean(precision[0, :, index, 0, 2]),
            mean(precision[5, :, index, 0, 2]),
            mean(recall[:, index, 0, 2]),
        ]
        for index in range(len(evaluation.params.catIds))
    ]
    return {"stats": [float(value) for value in evaluation.stats], "classes": classes}


def main():
    with open(sys.argv[1]) as file:
        cases = json.load(file)
    with contextlib.redirect_stdout(io.StringIO()):
        result = [figures(case) for case in cases]
    with open(sys.argv[2], "w") as file:
        json.dump(result, file)


main()
