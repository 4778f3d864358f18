// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import type { Camera } from "../api/types";
import { empty, useLive } from "../state/live";
import { useSettings, type Language } from "../state/settings";
import { CamerasView } from "./CamerasView";

const gate: Camera = {
  camera: "gate",
  site: "demo",
  node: "n1",
  name: null,
  state: "offline",
  event: "silent",
  at: "2026-11-22T00:00:00Z",
  reconnects: 3,
  detail: null,
  node_online: true,
  width: null,
  height: null,
  analysed_fps: null,
  synthetic: false,
  private: false,
  zones: [],
  rules: [],
};

/** The text below what led to the state of a camera whose status says this. */
function shown(detail: string | null, language: Language) {
  useSettings.setState({ language });
  useLive.setState({ ...empty, loaded: true, cameras: { gate: { ...gate, detail } } });
  render(<CamerasView />);
  return screen.getByRole("table").querySelector<HTMLElement>(".row-detail");
}

afterEach(cleanup);

describe("what a camera's status says", () => {
  const KNOWN = "no answer; hint: check address and port, and that the camera is on";

  it("is told in Chinese on a Chinese page", () => {
    const told = shown(KNOWN, "zh-CN");
    expect(told?.textContent).toBe("没有应答（请检查地址和端口，并确认摄像机已通电）");
    expect(told?.querySelector("[lang=en]")).toBeNull();
  });

  it("is told as the node said it on an English page", () => {
    expect(shown(KNOWN, "en")?.textContent).toBe(KNOWN);
  });

  it("stays as it is, and is marked as English, where it is a panic's or a camera's own", () => {
    const told = shown("attempt to subtract with overflow", "zh-CN");
    expect(told?.textContent).toBe("attempt to subtract with overflow");
    expect(told?.querySelector<HTMLElement>("span")?.lang).toBe("en");
  });

  it("leaves no empty line where there is none", () => {
    expect(shown(null, "zh-CN")).toBeNull();
  });
});
