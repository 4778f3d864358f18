/** A small picture as an office would send it, made here: a PNG with 8 bits of red, green and blue (RFC 2083). */
import { deflateSync } from "node:zlib";

/** A sky over a street, so that what is shown can be told from nothing. */
export function picture(width = 320, height = 180) {
  const rows = Array.from({ length: height }, (_, y) => {
    const sky = y < height * 0.55;
    const row = Buffer.alloc(1 + width * 3);
    for (let x = 0; x < width; x++) row.set(sky ? [120, 170, 150 + Math.floor(y / 2)] : [90 + (x % 40), 92, 96], 1 + x * 3);
    return row;
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", deflateSync(Buffer.concat(rows))), chunk("IEND", Buffer.alloc(0))]);
}

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
