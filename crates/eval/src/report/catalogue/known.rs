//! The table of known figures: data alone.

use super::Better::{Higher, Lower, Neither};
use super::Unit::{Count, Factor, Megabytes, Rate, Score, Seconds, Share};
use super::{Better, Known, Text, Unit, text};

const fn known(name: &'static str, label: Text, unit: Unit, better: Better, meaning: Text) -> Known {
    Known { name, label, meaning, unit, better }
}

/// All known figures, in the order of the tables.
pub const KNOWN: &[Known] = &[
    known(
        "detection.ap",
        text("AP", "AP"),
        Share,
        Higher,
        text(
            "Area under precision against recall, mean over the labelled classes and over IoU 0.50 to 0.95 in steps of 0.05 (COCO).",
            "精确率–召回率曲线下面积，对已标注类别以及 IoU 0.50 至 0.95（步长 0.05）取平均（COCO 标准）。",
        ),
    ),
    known(
        "detection.ap50",
        text("AP50", "AP50"),
        Share,
        Higher,
        text(
            "AP at IoU 0.50 alone: found, and roughly at its place. The figure to read where labels are loose.",
            "仅取 IoU 0.50 的 AP：找到且位置大致正确。标注较粗时应看此项。",
        ),
    ),
    known(
        "detection.ap75",
        text("AP75", "AP75"),
        Share,
        Higher,
        text("AP at IoU 0.75 alone: found, and closely framed.", "仅取 IoU 0.75 的 AP：找到且框得较准。"),
    ),
    known(
        "detection.ap_small",
        text("AP small", "AP 小目标"),
        Share,
        Higher,
        text("AP of objects under 32 × 32 pixels.", "面积小于 32 × 32 像素目标的 AP。"),
    ),
    known(
        "detection.ap_medium",
        text("AP medium", "AP 中目标"),
        Share,
        Higher,
        text("AP of objects from 32 × 32 to 96 × 96 pixels.", "面积 32 × 32 至 96 × 96 像素目标的 AP。"),
    ),
    known(
        "detection.ap_large",
        text("AP large", "AP 大目标"),
        Share,
        Higher,
        text("AP of objects over 96 × 96 pixels.", "面积大于 96 × 96 像素目标的 AP。"),
    ),
    known(
        "detection.ar1",
        text("AR 1", "AR 1"),
        Share,
        Higher,
        text(
            "Highest recall with one finding for each picture and class, mean over IoU.",
            "每图每类只取 1 个结果时的最高召回率，对 IoU 取平均。",
        ),
    ),
    known(
        "detection.ar10",
        text("AR 10", "AR 10"),
        Share,
        Higher,
        text(
            "Highest recall with ten findings for each picture and class, mean over IoU.",
            "每图每类取 10 个结果时的最高召回率，对 IoU 取平均。",
        ),
    ),
    known(
        "detection.ar100",
        text("AR 100", "AR 100"),
        Share,
        Higher,
        text(
            "Highest recall with a hundred findings for each picture and class, mean over IoU.",
            "每图每类取 100 个结果时的最高召回率，对 IoU 取平均。",
        ),
    ),
    known(
        "detection.precision",
        text("Precision", "精确率"),
        Share,
        Higher,
        text(
            "Share of the findings at the threshold that are right (IoU 0.50).",
            "在所选阈值下，结果中正确者所占比例（IoU 0.50）。",
        ),
    ),
    known(
        "detection.recall",
        text("Recall", "召回率"),
        Share,
        Higher,
        text(
            "Share of the labelled objects that are found at the threshold (IoU 0.50).",
            "在所选阈值下，已标注目标被找到的比例（IoU 0.50）。",
        ),
    ),
    known(
        "detection.f1",
        text("F1", "F1"),
        Share,
        Higher,
        text(
            "Harmonic mean of precision and recall at the threshold.",
            "所选阈值下精确率与召回率的调和平均。",
        ),
    ),
    known(
        "detection.threshold",
        text("Threshold", "阈值"),
        Score,
        Neither,
        text(
            "The score from which a finding counts for precision, recall and F1; chosen on another set than the one it is used on.",
            "计算精确率、召回率与 F1 时结果所需的最低分数；在另一数据集上选定。",
        ),
    ),
    known(
        "tracking.hota",
        text("HOTA", "HOTA"),
        Share,
        Higher,
        text(
            "Geometric mean of finding objects (DetA) and of keeping their identity (AssA), over IoU 0.05 to 0.95.",
            "检测（DetA）与身份保持（AssA）的几何平均，对 IoU 0.05 至 0.95 取平均。",
        ),
    ),
    known(
        "tracking.deta",
        text("DetA", "DetA"),
        Share,
        Higher,
        text(
            "How much of what is there is found, and how much of what is found is there.",
            "应检目标与检出目标的重合程度。",
        ),
    ),
    known(
        "tracking.assa",
        text("AssA", "AssA"),
        Share,
        Higher,
        text("How much of each object's path carries one identity.", "每个目标的轨迹中保持同一身份的程度。"),
    ),
    known(
        "tracking.loca",
        text("LocA", "LocA"),
        Share,
        Higher,
        text("How closely the matched boxes fit (mean IoU).", "匹配框的贴合程度（平均 IoU）。"),
    ),
    known(
        "tracking.mota",
        text("MOTA", "MOTA"),
        Share,
        Higher,
        text(
            "One less misses, false boxes and identity switches for each labelled box; can be negative.",
            "1 减去（漏检、误检与身份切换）占标注框数的比例；可为负值。",
        ),
    ),
    known(
        "tracking.motp",
        text("MOTP", "MOTP"),
        Share,
        Higher,
        text("Mean overlap of the boxes that MOTA matched.", "MOTA 匹配框的平均重合度。"),
    ),
    known(
        "tracking.idf1",
        text("IDF1", "IDF1"),
        Share,
        Higher,
        text(
            "F1 of boxes under the best one-to-one assignment of identities over the whole sequence.",
            "对整段序列做身份一一对应后，框的 F1。",
        ),
    ),
    known(
        "tracking.id_switches",
        text("Id switches", "身份切换"),
        Count,
        Lower,
        text("How often an object's identity changed.", "目标身份改变的次数。"),
    ),
    known(
        "incident.precision",
        text("Precision", "精确率"),
        Share,
        Higher,
        text(
            "Share of the alarms that belong to a true incident (kind, zone, time, and box where there is one).",
            "告警中与真实事件相符者的比例（类型、区域、时间，有框时还包括位置）。",
        ),
    ),
    known(
        "incident.recall",
        text("Recall", "召回率"),
        Share,
        Higher,
        text("Share of the true incidents that raised an alarm.", "真实事件中触发告警的比例。"),
    ),
    known(
        "incident.f1",
        text("F1", "F1"),
        Share,
        Higher,
        text("Harmonic mean of alarm precision and recall.", "告警精确率与召回率的调和平均。"),
    ),
    known(
        "incident.f1_ilids",
        text("F1 i-LIDS", "F1 i-LIDS"),
        Share,
        Higher,
        text("F1 with i-LIDS' weight on recall.", "按 i-LIDS 规则对召回率加权的 F1。"),
    ),
    known(
        "incident.delay_p50_seconds",
        text("Delay p50", "延迟 p50"),
        Seconds,
        Lower,
        text(
            "Median time from when the alarm was due to when it came.",
            "从应报时刻到实际告警的时间，中位数。",
        ),
    ),
    known(
        "incident.delay_p95_seconds",
        text("Delay p95", "延迟 p95"),
        Seconds,
        Lower,
        text(
            "95 % of the alarms came at most so long after they were due.",
            "第 95 百分位：95 % 的情况不超过此时间。",
        ),
    ),
    known(
        "incident.false_alarms_per_camera_day",
        text("False alarms / camera-day", "误报／摄像机·天"),
        Rate,
        Lower,
        text(
            "Alarms without a true incident, for each camera and 24 hours of footage.",
            "每路摄像机每 24 小时素材中没有对应真实事件的告警数。",
        ),
    ),
    known(
        "incident.duplicates_per_truth",
        text("Duplicates / true incident", "重复告警／真实事件"),
        Rate,
        Lower,
        text(
            "Further alarms for a true incident that already had one.",
            "每个真实事件首个告警之外的重复告警数。",
        ),
    ),
    known(
        "incident.end_error_p50_seconds",
        text("End error p50", "结束误差 p50"),
        Seconds,
        Lower,
        text(
            "Median distance of the told end from the true end.",
            "所报结束时刻与真实结束时刻之差，中位数。",
        ),
    ),
    known(
        "incident.truths",
        text("True incidents", "真实事件数"),
        Count,
        Neither,
        text("Incidents in the labels.", "标注中的事件数。"),
    ),
    known(
        "incident.found",
        text("Alarms", "告警数"),
        Count,
        Neither,
        text("Alarms that were raised.", "触发的告警数。"),
    ),
    known(
        "incident.matched",
        text("Matched", "匹配数"),
        Count,
        Neither,
        text("True incidents with their alarm.", "有对应告警的真实事件数。"),
    ),
    known(
        "change.pixel_precision",
        text("Pixel precision", "像素精确率"),
        Share,
        Higher,
        text("Share of the pixels called changed that are.", "判为变化的像素中真正变化的比例。"),
    ),
    known(
        "change.pixel_recall",
        text("Pixel recall", "像素召回率"),
        Share,
        Higher,
        text("Share of the changed pixels that were called so.", "真正变化的像素中被判为变化的比例。"),
    ),
    known(
        "change.pixel_f1",
        text("Pixel F1", "像素 F1"),
        Share,
        Higher,
        text("Harmonic mean of pixel precision and recall.", "像素精确率与召回率的调和平均。"),
    ),
    known(
        "change.pixel_iou",
        text("Pixel IoU", "像素 IoU"),
        Share,
        Higher,
        text("Changed pixels in both, of those in either.", "两者皆为变化的像素占任一为变化像素的比例。"),
    ),
    known(
        "change.object_precision",
        text("Object precision", "对象精确率"),
        Share,
        Higher,
        text("Share of the changed regions found that are true ones.", "找到的变化区域中真实者的比例。"),
    ),
    known(
        "change.object_recall",
        text("Object recall", "对象召回率"),
        Share,
        Higher,
        text("Share of the true changed regions that were found.", "真实变化区域中被找到的比例。"),
    ),
    known(
        "change.object_f1",
        text("Object F1", "对象 F1"),
        Share,
        Higher,
        text("Harmonic mean of object precision and recall.", "对象精确率与召回率的调和平均。"),
    ),
    known(
        "speed.real_time_factor",
        text("× real time", "实时倍数"),
        Factor,
        Higher,
        text(
            "Seconds of video for each second that passed; under 1 falls behind.",
            "每秒钟处理的视频秒数；小于 1 即跟不上。",
        ),
    ),
    known(
        "speed.cpu_seconds_per_video_second",
        text("CPU-s / video-s", "CPU 秒／视频秒"),
        Rate,
        Lower,
        text(
            "Processor time, all threads, for each second of video.",
            "每秒视频所用的处理器时间（全部线程）。",
        ),
    ),
    known(
        "speed.step_p50_seconds",
        text("Step p50", "单步 p50"),
        Seconds,
        Lower,
        text("Median time from a frame to its decision.", "从取得一帧到作出判断的时间，中位数。"),
    ),
    known(
        "speed.step_p95_seconds",
        text("Step p95", "单步 p95"),
        Seconds,
        Lower,
        text(
            "95 % of the frames were decided at most so long after they were taken up.",
            "第 95 百分位：95 % 的情况不超过此时间。",
        ),
    ),
    known(
        "speed.step_p99_seconds",
        text("Step p99", "单步 p99"),
        Seconds,
        Lower,
        text(
            "99 % of the frames were decided at most so long after they were taken up.",
            "第 99 百分位：99 % 的情况不超过此时间。",
        ),
    ),
    known(
        "speed.decode_share",
        text("Decoding", "解码占比"),
        Share,
        Neither,
        text("Share of the processor time that decoding took.", "解码所占的处理器时间比例。"),
    ),
    known(
        "speed.infer_share",
        text("Inference", "推理占比"),
        Share,
        Neither,
        text("Share of the processor time that inference took.", "推理所占的处理器时间比例。"),
    ),
    known(
        "speed.peak_memory_megabytes",
        text("Peak memory", "内存峰值"),
        Megabytes,
        Lower,
        text("Most memory that the process held.", "进程占用内存的最大值。"),
    ),
    known(
        "speed.images_per_second",
        text("Images / s", "图像／秒"),
        Rate,
        Higher,
        text("Pictures for each second, one after the other.", "逐张处理时每秒的图像数。"),
    ),
];
