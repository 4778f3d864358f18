"""Scores cases with TrackEval, the original of crates/eval/src/metric/tracking.

Usage: tracking.py CASES.json FIGURES.json
"""
import contextlib
import io
import json
import sys

import numpy as np
from trackeval.datasets import MotChallenge2DBox
from trackeval.metrics import CLEAR, HOTA, Identity

PEDESTRIAN, DISTRACTOR = 1, 8


def preparer():
    """MotChallenge2DBox without its reading of folders."""
    dataset = object.__new__(MotChallenge2DBox)
    dataset.benchmark = "MOT17"
    dataset.do_preproc = True
    dataset.class_name_to_class_id = {
        "pedestrian": 1, "person_on_vehicle": 2, "car": 3, "bicycle": 4, "motorbike": 5, "non_mot_vehicle": 6,
        "static_person": 7, "distractor": 8, "occluder": 9, "occluder_on_ground": 10, "occluder_full": 11,
        "reflection": 12, "crowd": 13,
    }
    dataset.valid_class_numbers = list(dataset.class_name_to_class_id.values())
    return dataset


def table(rows, width):
    return np.array(rows, dtype=float).reshape(len(rows), width)


def sequence(dataset, frames):
    raw = {key: [] for key in (
        "gt_ids", "gt_dets", "gt_classes", "gt_extras", "tracker_ids", "tracker_dets", "tracker_classes",
        "tracker_confidences", "similarity_scores",
    )}
    for frame in frames:
        truth, found = table(frame["truth"], 6), table(frame["found"], 5)
        raw["gt_ids"].append(truth[:, 0].astype(int))
        raw["gt_dets"].append(truth[:, 1:5])
        raw["gt_classes"].append(np.where(truth[:, 5] > 0, DISTRACTOR, PEDESTRIAN))
        raw["gt_extras"].append({"zero_marked": np.ones(len(truth), dtype=int)})
        raw["tracker_ids"].append(found[:, 0].astype(int))
        raw["tracker_dets"].append(found[:, 1:5])
        raw["tracker_classes"].append(np.ones(len(found), dtype=int))
        raw["tracker_confidences"].append(np.ones(len(found)))
        raw["similarity_scores"].append(dataset._calculate_similarities(truth[:, 1:5], found[:, 1:5]))
    raw["num_timesteps"] = len(frames)
    raw["seq"] = "sequence"
    return dataset.get_preprocessed_seq_data(raw, "pedestrian")


def figures(metrics, per_sequence):
    """Of several sequences together."""
    result = {}
    for metric, name in metrics:
        of = metric.combine_sequences({str(index): one[name] for index, one in enumerate(per_sequence)})
        for field, value in of.items():
            if field not in ("CLR_Frames", "FP_per_frame"):
                result[field] = np.asarray(value, dtype=float).tolist()
    return result


def main():
    with open(sys.argv[1]) as file:
        cases = json.load(file)
    result = []
    dataset = preparer()
    with contextlib.redirect_stdout(io.StringIO()):
        metrics = [(HOTA(), "hota"), (CLEAR(), "clear"), (Identity(), "identity")]
        for case in cases:
            per_sequence = []
            for frames in case:
                data = sequence(dataset, frames)
                per_sequence.append({name: metric.eval_sequence(data) for metric, name in metrics})
            result.append({
                "sequences": [figures(metrics, [one]) for one in per_sequence],
                "combined": figures(metrics, per_sequence),
            })
    with open(sys.argv[2], "w") as file:
        json.dump(result, file)


main()
