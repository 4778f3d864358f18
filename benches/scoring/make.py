"""Writes 1,000 pictures' boxes, about 7,300 true and 30,000 found ones over 80 classes as in COCO, seeded.

Usage: make.py TRUTH.json FOUND.json
"""
import json
import random
import sys


def box(chance):
    width, height = 8 * 50 ** chance.random(), 8 * 50 ** chance.random()
    return [chance.uniform(0, 600), chance.uniform(0, 440), width, height]


def main():
    chance = random.Random(1)
    truth, found = [], []
    for image in range(1, 1001):
        for _ in range(chance.randint(1, 14)):
            category = 1 + min(int(chance.expovariate(0.12)), 79)
            at = box(chance)
            truth.append({"id": len(truth) + 1, "image_id": image, "category_id": category, "bbox": at,
                          "area": at[2] * at[3] * 0.7, "iscrowd": int(chance.random() < 0.02)})
            for _ in range(chance.choice([0, 1, 1, 2])):
                near = [side + at[2 + index % 2] * chance.gauss(0, 0.08) for index, side in enumerate(at)]
                found.append({"image_id": image, "category_id": category, "bbox": [near[0], near[1], abs(near[2]), abs(near[3])],
                              "score": round(chance.betavariate(4, 2), 3)})
        while len(found) < 30 * image:
            found.append({"image_id": image, "category_id": chance.randint(1, 80), "bbox": box(chance),
                          "score": round(chance.betavariate(1, 5), 3)})
    with open(sys.argv[1], "w") as file:
        json.dump({"images": [{"id": image} for image in range(1, 1001)],
                   "categories": [{"id": category} for category in range(1, 81)], "annotations": truth}, file)
    with open(sys.argv[2], "w") as file:
        json.dump(found, file)
    print(f"{len(truth)} true boxes, {len(found)} found ones, 1000 pictures")


main()
