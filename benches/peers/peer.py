#!/usr/bin/env python3
"""What many would put together by themselves for one camera: PyAV decodes every frame, every so many of them are looked at by
the same model with ONNX Runtime or OpenVINO, and ByteTrack (supervision) follows what was found. No rules, no background
model, no evidence: less than a monitoring node does.

    peer.py CLIP MODEL_DIR --engine onnxruntime|onnxruntime-int8|openvino-bf16 --size 640 --fps 5 --seconds 60

Prints one line of JSON: video seconds, CPU-seconds, looks, boxes, tracks, peak memory. Packages: requirements.txt."""

import argparse, json, os, resource, time

import av
import cv2
import numpy as np
import supervision as sv

MEAN, STD = np.array([103.53, 116.28, 123.675], np.float32), np.array([57.375, 57.12, 58.395], np.float32)
STRIDES, BINS, SCORE, IOU = (8, 16, 32), np.arange(11, dtype=np.float32), 0.35, 0.6


def with_onnxruntime(path):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda tensor: dict(zip(names, session.run(None, {session.get_inputs()[0].name: tensor})))


def with_openvino(path, size):
    import openvino as ov

    core = ov.Core()
    model = core.read_model(path)
    model.reshape([1, 3, size, size])
    hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "bf16"}
    compiled = core.compile_model(model, "CPU", hints)
    request = compiled.create_infer_request()
    names = [output.get_any_name() for output in compiled.outputs]

    def run(tensor):
        request.infer([tensor], share_inputs=True)
        return {name: request.get_tensor(name).data for name in names}

    return run


def boxes_of(outputs, size):
    """Boxes in pixels of the input, scores and classes: NanoDet's decoding and suppression within classes."""
    boxes, scores, classes = [], [], []
    for stride in STRIDES:
        score = outputs[f"cls_s{stride}"].reshape(-1, 80)
        best = score.max(axis=1)
        keep = np.flatnonzero(best > SCORE)
        if not len(keep):
            continue
        bins = outputs[f"dist_s{stride}"].reshape(-1, 4, 11)[keep]
        bins = np.exp(bins - bins.max(axis=2, keepdims=True))
        sides = (bins * BINS).sum(axis=2) / bins.sum(axis=2) * stride
        across = size // stride
        x, y = (keep % across + 0.5) * stride, (keep // across + 0.5) * stride
        boxes.append(np.stack([x - sides[:, 0], y - sides[:, 1], x + sides[:, 2], y + sides[:, 3]], axis=1))
        scores.append(best[keep])
        classes.append(score[keep].argmax(axis=1))
    if not boxes:
        return sv.Detections.empty()
    found = sv.Detections(np.concatenate(boxes).astype(np.float32), confidence=np.concatenate(scores), class_id=np.concatenate(classes))
    return found.with_nms(threshold=IOU)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("clip")
    parser.add_argument("model")
    parser.add_argument("--engine", default="openvino-bf16")
    parser.add_argument("--size", type=int, default=640)
    parser.add_argument("--fps", type=float, default=5)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    variant = "model.int8.onnx" if given.engine == "onnxruntime-int8" else "model.onnx"
    path = os.path.join(given.model, variant)
    infer = with_openvino(path, given.size) if given.engine.startswith("openvino") else with_onnxruntime(path)
    tensor = np.zeros((1, 3, given.size, given.size), np.float32)
    infer(tensor)
    tracker = sv.ByteTrack(frame_rate=int(given.fps))
    cpu_of = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    cpu, began, spent = cpu_of(), time.monotonic(), {"decode": 0.0, "infer": 0.0}
    looks = boxes = 0
    tracks, next_look, offset, latest = set(), 0.0, 0.0, 0.0
    while latest < given.seconds:
        with av.open(given.clip) as container:
            stream = container.streams.video[0]
            stream.thread_type, stream.codec_context.thread_count = "NONE", 1
            frames = container.decode(stream)
            while latest < given.seconds:
                start = time.thread_time()
                frame = next(frames, None)
                spent["decode"] += time.thread_time() - start
                if frame is None:
                    break
                latest = offset + float(frame.pts * stream.time_base)
                if latest + 1e-3 < next_look:
                    continue
                next_look += 1 / given.fps
                height = round(frame.height * given.size / frame.width)
                picture = frame.reformat(given.size, height, "bgr24", interpolation="BILINEAR").to_ndarray()
                top = (given.size - height) // 2
                tensor[0, :, top : top + height] = ((picture - MEAN) / STD).transpose(2, 0, 1)
                start = time.thread_time()
                outputs = infer(tensor)
                spent["infer"] += time.thread_time() - start
                found = tracker.update_with_detections(boxes_of(outputs, given.size))
                looks, boxes = looks + 1, boxes + len(found)
                tracks.update(found.tracker_id.tolist() if found.tracker_id is not None else [])
        offset = latest + 1 / 25
    cpu = cpu_of() - cpu
    print(json.dumps({
        "engine": given.engine, "size": given.size, "video_seconds": round(latest, 2), "cpu_seconds": round(cpu, 3),
        "cpu_per_video_second": round(cpu / latest, 4), "wall_seconds": round(time.monotonic() - began, 2),
        "decode": round(spent["decode"] / latest, 4), "infer": round(spent["infer"] / latest, 4), "looks": looks,
        "boxes": boxes, "tracks": len(tracks), "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }))


if __name__ == "__main__":
    main()
