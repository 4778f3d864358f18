import { describe, expect, it } from "vitest";
import { backoff, parseFrame } from "./live";

function message(header: string, jpeg: Uint8Array): ArrayBuffer {
  const text = new TextEncoder().encode(header);
  const all = new Uint8Array(4 + text.length + jpeg.length);
  new DataView(all.buffer).setUint32(0, text.length);
  all.set(text, 4);
  all.set(jpeg, 4 + text.length);
  return all.buffer;
}

describe("parseFrame", () => {
  it("parts the overlay from the picture", () => {
    const frame = parseFrame(message('{"camera":"gate","sequence":7}', new Uint8Array([0xff, 0xd8, 1])));
    expect(frame?.header.sequence).toBe(7);
    expect(frame?.jpeg.size).toBe(3);
    expect(frame?.jpeg.type).toBe("image/jpeg");
  });

  it("takes nothing from what is cut short or is no frame", () => {
    expect(parseFrame(new ArrayBuffer(2))).toBeNull();
    expect(parseFrame(message("{}", new Uint8Array()).slice(0, 5))).toBeNull();
    expect(parseFrame(message("not json", new Uint8Array(3)))).toBeNull();
  });
});

it("reconnects ever slower, up to ten seconds, and not in step with others", () => {
  expect(backoff(0, () => 0)).toBe(250);
  expect(backoff(0, () => 1)).toBe(500);
  expect(backoff(3, () => 1)).toBe(4000);
  expect(backoff(50, () => 1)).toBe(10_000);
});
