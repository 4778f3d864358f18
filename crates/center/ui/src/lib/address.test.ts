import { expect, it } from "vitest";
import { NAME } from "./edits";
import { isAddress, isStream, nameFrom, withoutCredentials } from "./address";

it("a stream is told from a device", () => {
  expect(["rtsp://192.0.2.1/main", " RTSPS://cam/1", "srt://host:9000"].every(isStream)).toBe(true);
  expect(["192.0.2.1", "http://192.0.2.1/onvif/device_service", "rtsp://", "file:///etc/passwd"].some(isStream)).toBe(false);
  expect(["192.0.2.1", "cam-7.local:8080", "http://192.0.2.1/onvif/device_service", "rtsp://h/x", "[2001:db8::1]:80"].every(isAddress)).toBe(true);
  expect(["", "two words", "file:///etc/passwd"].some(isAddress)).toBe(false);
});

it("user and password leave the address, also when they have signs of their own", () => {
  expect(withoutCredentials("rtsp://viewer:p%40ss@192.0.2.1:554/main?x=1")).toEqual({ address: "rtsp://192.0.2.1:554/main?x=1", username: "viewer", password: "p@ss" });
  expect(withoutCredentials("rtsp://viewer@192.0.2.1/main")).toEqual({ address: "rtsp://192.0.2.1/main", username: "viewer", password: null });
  expect(withoutCredentials("rtsp://a:b@c@192.0.2.1/main")).toEqual({ address: "rtsp://192.0.2.1/main", username: "a", password: "b@c" });
  expect(withoutCredentials(" rtsp://192.0.2.1/a@b ")).toEqual({ address: "rtsp://192.0.2.1/a@b", username: null, password: null });
  expect(withoutCredentials("rtsp://u:100%@h/")).toMatchObject({ password: "100%" });
});

it("a camera has a name that the file takes, whatever it is called", () => {
  expect(nameFrom("West gate 2", "")).toBe("west-gate-2");
  expect(nameFrom("西门", "rtsp://192.0.2.9:554/main")).toBe("camera-192-0-2-9");
  expect(nameFrom("", "http://u:p@cam.local/onvif")).toBe("camera-cam-local");
  for (const [title, address] of [["", ""], ["西门", "[2001:db8::1]"], ["x".repeat(90), ""]] as const) expect(nameFrom(title, address)).toMatch(NAME);
});
