import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { FrameFollower, goawayFrame } from "./frames.ts";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

interface Frame {
  readonly type: number;
  readonly stream: number;
  readonly length: number;
  /** The bit above the stream id, to be ignored. */
  readonly reserved: boolean;
}

const bytesOf = ({ type, stream, length, reserved }: Frame): Buffer => {
  const bytes = Buffer.alloc(9 + length, 0xff);
  bytes.writeUIntBE(length, 0, 3);
  bytes.writeUInt8(type, 3);
  bytes.writeUInt32BE(reserved ? stream + 2 ** 31 : stream, 5);
  return bytes;
};

describe("the frame follower", () => {
  it("finds every frame, whichever way the bytes are cut", () => {
    const frames = fc.array(
      fc.record({
        type: fc.integer({ min: 0, max: 9 }),
        stream: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
        length: fc.integer({ min: 0, max: 40 }),
        reserved: fc.boolean(),
      }),
    );
    const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 });
    const finds = (sent: Frame[], sizes: number[]): void => {
      const bytes = Buffer.concat([PREFACE, ...sent.map(bytesOf)]);
      const found: string[] = [];
      const follower = new FrameFollower((type, stream) => found.push(`${type} ${stream}`));
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const size = sizes[turn % sizes.length] ?? 1;
        follower.read(bytes.subarray(at, at + size));
        at += size;
      }
      expect(found).toEqual(sent.map(({ type, stream }) => `${type} ${stream}`));
    };
    expect(() => fc.assert(fc.property(frames, cuts, finds))).not.toThrow();
  });
});

describe("a GOAWAY frame by hand", () => {
  it("has the bytes of RFC 9113 §6.8", () => {
    expect(goawayFrame(0, 11, Buffer.from("ab")).toString("hex")).toBe(
      "00000a 07 00 00000000 00000000 0000000b 6162".replaceAll(" ", ""),
    );
  });
});
