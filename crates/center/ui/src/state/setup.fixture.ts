/** A pipeline file for tests, as the node reads it. */
import type { Model, SetupCamera } from "../api/setup";

const source: SetupCamera["source"] = { kind: "rtsp", address: "rtsp://192.0.2.1/main", substream: null, username: "viewer", password: "file", analysed_fps: 5 };

export const gate: SetupCamera = {
  camera: "gate",
  name: "东门",
  site: null,
  disabled: false,
  synthetic: false,
  dome: false,
  spared: false,
  model: null,
  source,
  recording: { hours: 4, megabytes: 4000 },
  views: [
    {
      preset: null,
      name: null,
      reference_pictures: 0,
      background: true,
      baseline: false,
      zones: [
        { zone: "lane", purpose: "fire_lane", polygon: [[0.1, 0.6], [0.6, 0.55], [0.75, 1], [0.05, 1]], membership: null, labels: null },
        { zone: "racks", purpose: "bay", polygon: [[0.7, 0.4], [0.95, 0.4], [0.95, 0.6], [0.7, 0.6]], membership: { overlap: 0.5 }, labels: null },
      ],
      lines: [],
      rules: [{ rule: "bikes", kind: "misparked_ebike", options: { limit_seconds: 120, zones: ["lane"], bays: ["racks"], zone_limit_seconds: { racks: 300 } } }],
    },
  ],
};

export const tower: SetupCamera = {
  ...gate,
  camera: "tower",
  name: "塔楼球机",
  dome: true,
  recording: null,
  views: [
    {
      preset: "roof-3",
      name: "3号楼楼顶",
      reference_pictures: 2,
      background: false,
      baseline: false,
      zones: [{ zone: "roof", purpose: "roof", polygon: [[0.1, 0.3], [0.9, 0.3], [0.9, 0.9], [0.1, 0.9]], membership: null, labels: null }],
      lines: [],
      rules: [{ rule: "sheds", kind: "rooftop_structure", options: { limit_seconds: 3600 } }],
    },
  ],
};

export const model: Model = { models: ["default"], cameras: [gate, tower] };
