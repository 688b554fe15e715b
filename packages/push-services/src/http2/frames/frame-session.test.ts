import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type WireRequest, type WireResult } from "../wire.ts";
import { FLAG, FRAME, type Frame, FrameReader } from "./frame.ts";
import { FrameSession } from "./frame-session.ts";
import { Output } from "./output.ts";

const PREFACE_BYTES = 24;

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

interface Scene {
  readonly session: FrameSession;
  readonly limits: number[];
  readonly goaways: string[];
  readonly results: WireResult[];
  readonly send: (body?: string) => ReturnType<FrameSession["open"]>;
  /** The frames written since the last time. */
  readonly written: () => Frame[];
}

function aSession(): Scene {
  const limits: number[] = [];
  const goaways: string[] = [];
  const results: WireResult[] = [];
  const events = {
    settings: (limit: number) => void limits.push(limit),
    goaway: (detail: string) => void goaways.push(detail),
  };
  const session = new FrameSession({ authority: "apns.test", events, written: () => undefined });
  const written = (): Frame[] => {
    const frames: Frame[] = [];
    const reader = new FrameReader(
      (each) => void frames.push({ ...each, payload: Buffer.from(each.payload) }),
    );
    reader.read(session.takeOutput().bytes);
    return frames;
  };
  const send = (body = "{}"): ReturnType<FrameSession["open"]> => {
    const settle: WireRequest["settle"] = (result) => void results.push(result);
    return session.open({
      path: "/3/device/aa",
      headers: [],
      ownHeaders: [],
      body: Buffer.from(body),
      settle,
    });
  };
  expect(session.takeOutput().bytes.subarray(0, PREFACE_BYTES).toString()).toBe(
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  );
  return { session, limits, goaways, results, send, written };
}

const typesOf = (frames: readonly Frame[]): string[] => {
  const names = Object.entries(FRAME);
  return frames.map(({ type }) => names.find(([, number]) => number === type)?.[0] ?? String(type));
};

describe("a frame session", () => {
  it("acknowledges settings and pings", () => {
    const { session, written, limits } = aSession();
    session.receive(Buffer.concat([READY, frame(FRAME.ping, 0, 0, "0102030405060708")]));
    expect(limits).toEqual([100]);
    const [ack, pong] = written();
    expect(ack).toMatchObject({ type: FRAME.settings, flags: FLAG.ack });
    expect(pong?.payload.toString("hex")).toBe("0102030405060708");
  });

  it("takes no limit in the first settings for none", () => {
    const { session, limits } = aSession();
    session.receive(settings());
    expect(limits).toEqual([Number.POSITIVE_INFINITY]);
  });

  it("keeps a body within the windows of stream and connection, and goes on when they grow", () => {
    const { session, send, written } = aSession();
    session.receive(settings([3, 100], [4, 10]));
    written();
    send("x".repeat(25));
    expect(
      written()
        .map(({ payload, flags }) => [payload.length, flags])
        .slice(1),
    ).toEqual([[10, 0]]);
    session.receive(frame(FRAME.windowUpdate, 0, 1, "0000000a"));
    expect(written().map(({ payload, flags }) => [payload.length, flags])).toEqual([[10, 0]]);
    session.receive(settings([4, 15]));
    expect(written().filter(({ type }) => type === FRAME.data)).toMatchObject([{ flags: FLAG.endStream }]);
  });

  it("lets a window be negative after it was made smaller", () => {
    const { session, send, written } = aSession();
    session.receive(settings([3, 100], [4, 10]));
    send("x".repeat(20));
    session.receive(settings([4, 0]));
    written();
    session.receive(frame(FRAME.windowUpdate, 0, 1, "0000000a"));
    expect(typesOf(written())).toEqual([]);
    session.receive(frame(FRAME.windowUpdate, 0, 1, "0000000a"));
    expect(typesOf(written())).toEqual(["data"]);
  });

  it("shares the window of the connection in the order of sending", () => {
    const { session, send, written } = aSession();
    session.receive(settings([3, 100], [4, 1_000_000]));
    send("x".repeat(65_535));
    send("first");
    send("second");
    written();
    session.receive(frame(FRAME.windowUpdate, 0, 0, "00000007"));
    expect(written().map(({ stream, payload }) => [stream, payload.toString()])).toEqual([
      [3, "first"],
      [5, "se"],
    ]);
  });

  it("reads a header block over several frames, with padding and priority", () => {
    const { session, send, results } = aSession();
    session.receive(READY);
    send();
    const padded = frame(
      FRAME.headers,
      FLAG.padded | FLAG.priority | FLAG.endStream,
      1,
      "02 0000000000 4882 0000",
    );
    session.receive(
      Buffer.concat([
        padded,
        frame(FRAME.continuation, 0, 1, "64"),
        frame(FRAME.continuation, FLAG.endHeaders, 1, "02"),
      ]),
    );
    expect(results).toMatchObject([{ kind: "answered", status: 302 }]);
  });

  it("passes over informational answers, trailers, unknown frames and streams that are gone", () => {
    const { session, send, results } = aSession();
    session.receive(READY);
    send();
    const gone = send();
    if (gone !== undefined) session.cancel(gone, "too late");
    results.length = 0;
    session.receive(frame(FRAME.headers, FLAG.endHeaders, 1, "08 03 313030"));
    session.receive(frame(0xfa, 0xff, 1, "00"));
    session.receive(frame(FRAME.headers, END, 3, OK));
    session.receive(frame(FRAME.headers, FLAG.endHeaders, 1, OK));
    session.receive(frame(FRAME.data, FLAG.padded, 1, "01 6f6b 00"));
    session.receive(frame(FRAME.headers, END, 1, "00 01 78 01 79"));
    expect(results).toEqual([{ kind: "answered", status: 200, body: "ok", retryAfter: undefined }]);
  });

  it("stops sending a body that was answered before its end", () => {
    const { session, send, written, results } = aSession();
    session.receive(settings([3, 100], [4, 1_000_000]));
    send("x".repeat(65_536));
    written();
    session.receive(frame(FRAME.headers, END, 1, OK));
    expect(typesOf(written())).toEqual(["resetStream"]);
    session.receive(frame(FRAME.windowUpdate, 0, 0, "00000064"));
    expect(typesOf(written())).toEqual([]);
    expect(results).toHaveLength(1);
  });

  it("gives back the connection's window as it reads", () => {
    const { session, send, written } = aSession();
    session.receive(READY);
    send();
    session.receive(frame(FRAME.headers, FLAG.endHeaders, 1, OK));
    written();
    send();
    written();
    for (const stream of [1, 1, 1, 3, 3, 3])
      session.receive(frame(FRAME.data, 0, stream, Buffer.alloc(16_000)));
    const updates = written();
    expect(typesOf(updates)).toEqual(["windowUpdate", "windowUpdate"]);
    expect(updates.map(({ stream, payload }) => [stream, payload.readUInt32BE(0)])).toEqual([
      [0, 48_000],
      [0, 48_000],
    ]);
  });

  it("knows after the end what was never written", () => {
    const { session, send, written, results } = aSession();
    session.receive(READY);
    send();
    written();
    send();
    session.end("gone");
    expect(results).toEqual([
      { kind: "unanswered", because: "gone" },
      { kind: "unprocessed", because: "gone" },
    ]);
  });

  it.each([
    ["a beginning without SETTINGS", frame(FRAME.ping, 0, 0, "0000000000000000")],
    ["a frame that is too large", Buffer.concat([READY, frame(FRAME.data, 0, 1, Buffer.alloc(16_385))])],
    ["a push", Buffer.concat([READY, frame(FRAME.pushPromise, FLAG.endHeaders, 1, "00000002")])],
    ["a window that is too large", settings([4, 0x80000000])],
    ["a window that grows too large", Buffer.concat([READY, frame(FRAME.windowUpdate, 0, 0, "7fffffff")])],
    [
      "a block that is cut off",
      Buffer.concat([READY, frame(FRAME.headers, 0, 1, OK), frame(FRAME.ping, 0, 0, "00".repeat(8))]),
    ],
    [
      "a block that goes on elsewhere",
      Buffer.concat([READY, frame(FRAME.headers, 0, 1, OK), frame(FRAME.continuation, 4, 3, OK)]),
    ],
    ["a continuation of nothing", Buffer.concat([READY, frame(FRAME.continuation, 4, 1, OK)])],
    [
      "a block without end",
      Buffer.concat([
        READY,
        frame(FRAME.headers, 0, 1, OK),
        ...Array.from({ length: 5 }, () => frame(FRAME.continuation, 0, 1, Buffer.alloc(16_000))),
      ]),
    ],
    [
      "a block in empty frames without end",
      Buffer.concat([
        READY,
        frame(FRAME.headers, 0, 1, OK),
        ...Array.from({ length: 16 }, () => frame(FRAME.continuation, 0, 1)),
      ]),
    ],
    ["more padding than bytes", Buffer.concat([READY, frame(FRAME.data, FLAG.padded, 1, "05 00")])],
    ["headers that don't decode", Buffer.concat([READY, frame(FRAME.headers, END, 1, "80")])],
  ])("refuses %s", (_what, bytes) => {
    const { session, send } = aSession();
    send();
    expect(() => session.receive(bytes)).toThrow(Error);
  });

  it("understands the same however its input is cut", () => {
    const input = Buffer.concat([
      READY,
      frame(FRAME.headers, FLAG.endHeaders, 1, OK),
      frame(FRAME.data, FLAG.endStream, 1, "6f6b"),
      frame(FRAME.resetStream, 0, 3, "00000007"),
      frame(FRAME.goaway, 0, 0, `00000005 00000000 ${Buffer.from('{"reason":"x"}').toString("hex")}`),
      frame(FRAME.headers, END, 5, OK),
    ]);
    const isUnderstood = (cuts: readonly number[]): void => {
      const { session, send, results, goaways } = aSession();
      for (let count = 0; count < 4; count += 1) send();
      const places = [
        0,
        ...cuts.map((cut) => cut % input.length).toSorted((one, other) => one - other),
        input.length,
      ];
      for (const [index, place] of places.entries())
        session.receive(input.subarray(place, places[index + 1] ?? place));
      expect(goaways).toEqual(['{"reason":"x"}']);
      expect(results.map(({ kind }) => kind)).toEqual(["answered", "unprocessed", "unprocessed", "answered"]);
    };
    fc.assert(fc.property(fc.array(fc.nat(), { maxLength: 12 }), isUnderstood));
  });

  it("settles each request once, whatever comes", () => {
    const types = fc.constantFrom(...Object.values(FRAME), 0x20);
    const frames = fc.array(
      fc.tuple(types, fc.nat(255), fc.constantFrom(0, 1, 3, 5, 7), fc.uint8Array({ maxLength: 24 })),
    );
    const settlesOnce = (given: readonly (readonly [number, number, number, Uint8Array])[]): void => {
      const { session, send, results, written } = aSession();
      for (let count = 0; count < 3; count += 1) send();
      written();
      try {
        session.receive(READY);
        for (const [type, flags, stream, payload] of given)
          session.receive(frame(type, flags, stream, Buffer.from(payload)));
      } catch {
        // Refused: the connection would be destroyed now.
      }
      session.end("over");
      expect(results).toHaveLength(3);
    };
    expect(() => fc.assert(fc.property(frames, settlesOnce), { numRuns: 500 })).not.toThrow();
  });
});
