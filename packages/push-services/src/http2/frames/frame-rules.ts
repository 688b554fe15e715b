import { FLAG, FRAME, type Frame, SETTING } from "./frame.ts";

interface Rule {
  /** Bytes of the payload: exactly, at least, or a multiple of. */
  readonly length?: readonly ["exactly" | "at-least" | "multiple", number];
  /** Belongs to the connection (0), or to a stream. */
  readonly on: "connection" | "stream" | "either";
}

/** RFC 9113 §6, as far as a client reads these frames. */
const RULES: ReadonlyMap<number, Rule> = new Map<number, Rule>([
  [FRAME.data, { on: "stream" }],
  [FRAME.headers, { on: "stream" }],
  [FRAME.resetStream, { length: ["exactly", 4], on: "stream" }],
  [FRAME.settings, { length: ["multiple", 6], on: "connection" }],
  [FRAME.ping, { length: ["exactly", 8], on: "connection" }],
  [FRAME.goaway, { length: ["at-least", 8], on: "connection" }],
  [FRAME.windowUpdate, { length: ["exactly", 4], on: "either" }],
  [FRAME.continuation, { on: "stream" }],
]);

/** Throws an Error for a frame whose length or stream is not allowed for its type; that ends the connection. */
export function checkFrame({ type, flags, stream, payload: { length } }: Frame, newestStream: number): void {
  const rule = RULES.get(type);
  if (rule === undefined) return;
  const isAck = type === FRAME.settings && (flags & FLAG.ack) !== 0;
  if ((isAck && length > 0) || !fits(length, rule.length)) {
    throw new Error(`a frame of type ${type} has ${length} bytes`);
  }
  const belongs = stream === 0 ? rule.on !== "stream" : rule.on !== "connection";
  if (!belongs) throw new Error(`a frame of type ${type} is on stream ${stream}`);
  // Only the client opens streams, since pushes are switched off (RFC 9113 §5.1: idle).
  if (stream !== 0 && (stream > newestStream || stream % 2 === 0)) {
    throw new Error(`a frame is on stream ${stream}, which was never opened`);
  }
}

function fits(length: number, [how, bytes]: NonNullable<Rule["length"]> = ["at-least", 0]): boolean {
  switch (how) {
    case "exactly":
      return length === bytes;
    case "at-least":
      return length >= bytes;
    case "multiple":
      return length % bytes === 0;
  }
}

/** RFC 9113 §6.5.2. */
const RANGES: ReadonlyMap<number, readonly [least: number, most: number]> = new Map([
  [SETTING.enablePush, [0, 0]],
  [SETTING.initialWindow, [0, 2 ** 31 - 1]],
  [SETTING.frameSize, [2 ** 14, 2 ** 24 - 1]],
]);

/** The last value of each setting in a SETTINGS frame. Throws an Error for a value out of its range. */
export function readSettings(payload: Buffer): ReadonlyMap<number, number> {
  const settings = new Map<number, number>();
  for (let at = 0; at + 6 <= payload.length; at += 6) {
    const setting = payload.readUInt16BE(at);
    const value = payload.readUInt32BE(at + 2);
    const [least, most] = RANGES.get(setting) ?? [0, Number.POSITIVE_INFINITY];
    if (value < least || value > most) throw new Error(`the setting ${setting} is ${value}`);
    settings.set(setting, value);
  }
  return settings;
}
