/**
 * The live feed: one WebSocket for everything. Text messages are news (incidents, cameras, nodes); binary ones are
 * frames: 4 bytes big-endian length, that many bytes of JSON (the overlay), and the JPEG of the same frame.
 */
import type { FrameHeader, LiveMessage, LiveRequest } from "./types";

export interface Frame {
  header: FrameHeader;
  jpeg: Blob;
}

/** Takes a binary message apart; `null` if it is none of ours. */
export function parseFrame(data: ArrayBuffer): Frame | null {
  if (data.byteLength < 4) return null;
  const length = new DataView(data).getUint32(0);
  if (length > data.byteLength - 4) return null;
  try {
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length))) as FrameHeader;
    return { header, jpeg: new Blob([new Uint8Array(data, 4 + length)], { type: "image/jpeg" }) };
  } catch {
    return null;
  }
}

/** Wait before the next attempt: doubles from half a second to ten, with a random part so that all browsers do not come at once. */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(10_000, 500 * 2 ** attempt);
  return ceiling / 2 + (random() * ceiling) / 2;
}

type FrameListener = (frame: Frame) => void;
interface Watch {
  listener: FrameListener;
  large: boolean;
}

export interface LiveEvents {
  onMessage(message: LiveMessage): void;
  onState(state: "connecting" | "open" | "lost"): void;
}

/** Keeps the connection, reconnects, and hands each frame to the tiles that show its camera. */
export class LiveFeed {
  private socket: WebSocket | null = null;
  private attempt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private requestTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly watches = new Map<string, Set<Watch>>();
  private closed = false;

  constructor(
    private readonly url: string,
    private readonly events: LiveEvents,
  ) {}

  open(): void {
    this.closed = false;
    this.events.onState("connecting");
    this.connect();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    clearTimeout(this.requestTimer);
    this.socket?.close();
    this.socket = null;
  }

  /** Shows a camera's frames to `listener` until the returned function is called. */
  watch(camera: string, large: boolean, listener: FrameListener): () => void {
    const watch = { listener, large };
    const all = this.watches.get(camera) ?? new Set();
    this.watches.set(camera, all.add(watch));
    this.requestSoon();
    return () => {
      all.delete(watch);
      if (all.size === 0) this.watches.delete(camera);
      this.requestSoon();
    };
  }

  private connect(): void {
    const socket = new WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      this.attempt = 0;
      this.events.onState("open");
      this.request();
    };
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      if (typeof event.data === "string") {
        this.events.onMessage(JSON.parse(event.data) as LiveMessage);
        return;
      }
      const frame = parseFrame(event.data);
      if (frame) for (const watch of this.watches.get(frame.header.camera) ?? []) watch.listener(frame);
    };
    socket.onclose = () => {
      if (this.socket !== socket || this.closed) return;
      this.events.onState("lost");
      this.timer = setTimeout(() => this.connect(), backoff(this.attempt++));
    };
  }

  /** A page of tiles comes and goes in one render: one request for all of it. */
  private requestSoon(): void {
    clearTimeout(this.requestTimer);
    this.requestTimer = setTimeout(() => this.request(), 20);
  }

  private request(): void {
    if (this.socket?.readyState !== 1) return;
    const request: LiveRequest = {
      type: "watch",
      cameras: [...this.watches].map(([camera, all]) => ({ camera, large: [...all].some((w) => w.large) })),
    };
    this.socket.send(JSON.stringify(request));
  }
}

/** Address of the feed of the center that served this page. */
export function liveUrl(location: Location): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/live`;
}
