import { describe, expect, it } from "vitest";

import { FLAG, FRAME } from "./frame.ts";
import { FrameSession } from "./frame-session.ts";
import { Output } from "./output.ts";

/** A frame as the other side would send it. */
function frame(type: number, flags: number, stream: number, payload: string | Buffer = ""): Buffer {
  const bytes = typeof payload === "string" ? Buffer.from(payload.replaceAll(" ", ""), "hex") : payload;
  const output = new Output();
  output.begin(type, flags, stream).bytes(bytes).end();
  return output.take().bytes;
}

const settings = (...pairs: readonly (readonly [id: number, value: number])[]): Buffer => {
  const output = new Output();
  for (const [id, value] of pairs) output.uint(id, 2).uint(value, 4);
  return frame(FRAME.settings, 0, 0, output.take().bytes);
};
const READY = settings([3, 100]);
/** `:status: 200`. */
const OK = "88";
const END = FLAG.endHeaders | FLAG.endStream;

describe("a frame session with one request under way", () => {
  it.each([
    ["a PING of 7 bytes", Buffer.concat([READY, frame(FRAME.ping, 0, 0, "00".repeat(7))])],
    ["a PING of 16,384 bytes", Buffer.concat([READY, frame(FRAME.ping, 0, 0, "00".repeat(16_384))])],
    ["an acknowledged PING of 9 bytes", Buffer.concat([READY, frame(FRAME.ping, 1, 0, "00".repeat(9))])],
    ["a PING on a stream", Buffer.concat([READY, frame(FRAME.ping, 0, 1, "00".repeat(8))])],
    ["SETTINGS of 7 bytes", Buffer.concat([READY, frame(FRAME.settings, 0, 0, "00".repeat(7))])],
    ["SETTINGS on a stream", frame(FRAME.settings, 0, 1)],
    [
      "acknowledged SETTINGS with content",
      Buffer.concat([READY, frame(FRAME.settings, 1, 0, "00".repeat(6))]),
    ],
    ["a frame size below 16,384", settings([5, 16_383])],
    ["a frame size above 2^24 - 1", settings([5, 2 ** 24])],
    ["pushes switched on", settings([2, 1])],
    [
      "a window that SETTINGS make too large",
      Buffer.concat([READY, frame(8, 0, 1, "7fff0000"), settings([4, 2 ** 31 - 1])]),
    ],
    ["RST_STREAM of 3 bytes", Buffer.concat([READY, frame(FRAME.resetStream, 0, 1, "000000")])],
    ["RST_STREAM on no stream", Buffer.concat([READY, frame(FRAME.resetStream, 0, 0, "00000000")])],
    ["GOAWAY of 7 bytes", Buffer.concat([READY, frame(FRAME.goaway, 0, 0, "00".repeat(7))])],
    ["WINDOW_UPDATE of 5 bytes", Buffer.concat([READY, frame(FRAME.windowUpdate, 0, 0, "0000000100")])],
    ["WINDOW_UPDATE by nothing", Buffer.concat([READY, frame(FRAME.windowUpdate, 0, 0, "00000000")])],
    ["DATA on no stream", Buffer.concat([READY, frame(FRAME.data, 0, 0, "00")])],
    ["HEADERS on no stream", Buffer.concat([READY, frame(FRAME.headers, END, 0, OK)])],
    ["HEADERS on a stream of its own", Buffer.concat([READY, frame(FRAME.headers, END, 2, OK)])],
    ["HEADERS on a stream that we never opened", Buffer.concat([READY, frame(FRAME.headers, END, 3, OK)])],
    [
      "more data than a stream's window",
      Buffer.concat([
        READY,
        ...Array.from({ length: 5 }, () => frame(FRAME.data, 0, 1, Buffer.alloc(16_000))),
      ]),
    ],
  ])("refuses %s", (_what, bytes) => {
    const events = { settings: () => undefined, goaway: () => undefined };
    const session = new FrameSession({ authority: "apns.test", events, written: () => undefined });
    const request = { path: "/3/device/aa", headers: [], ownHeaders: [], body: Buffer.from("{}") };
    session.open({ ...request, settle: () => undefined });
    expect(() => session.receive(bytes)).toThrow(Error);
  });
});
