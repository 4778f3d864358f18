"""The pictures of calibration.tsv, each checked by its hash: what the int8 variant's ranges are measured on.

calibration.tsv: `root` is `pictures` (the folder given on the command line) or `packages` (unpacked Debian packages);
`part` is `whole`, `centre` (the middle half in both directions, so that things from above get larger), `dark` (made
darker as at night: 255 * (v / 255) ** 2.2 * 0.7) or `frame N` (of a video).
"""
import csv
import hashlib
from pathlib import Path

import av
import numpy as np
from PIL import Image

TABLE = Path(__file__).parent / "calibration.tsv"


def rows():
    with open(TABLE, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def video_frame(path, number):
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index == number:
                return frame.to_ndarray(format="rgb24")
    raise SystemExit(f"{path} has no frame {number}")


def part_of(path, part):
    if part.startswith("frame "):
        return video_frame(path, int(part.split()[1]))
    picture = np.asarray(Image.open(path).convert("RGB"))
    if part == "centre":
        h, w, _ = picture.shape
        return np.ascontiguousarray(picture[h // 4 : h - h // 4, w // 4 : w - w // 4])
    if part == "dark":
        return (255 * (picture / 255.0) ** 2.2 * 0.7).astype(np.uint8)
    assert part == "whole", part
    return picture


def pictures(roots):
    """(row, RGB uint8 picture) for every row; roots: {"pictures": Path, "packages": Path}."""
    for row in rows():
        path = Path(roots[row["root"]]) / row["path"]
        if hashlib.sha256(path.read_bytes()).hexdigest() != row["sha256"]:
            raise SystemExit(f"{path} is not the picture of calibration.tsv (sha256 differs)")
        yield row, part_of(path, row["part"])
