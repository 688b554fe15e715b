import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { HeaderDecoder } from "./header-decoder.ts";
import { decodeHuffman } from "./huffman.ts";
import { Output } from "./output.ts";

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(" ", ""), "hex");
/** A dynamic table size update to 256, as the examples of RFC 7541 C.6 assume. */
const TABLE_OF_256 = "3fe101";

describe("the header decoder", () => {
  it("reads the requests of RFC 7541 C.4, each with the table that the one before has left", () => {
    const decoder = new HeaderDecoder();
    const request = [
      [":method", "GET"],
      [":scheme", "http"],
      [":path", "/"],
      [":authority", "www.example.com"],
    ];
    expect(decoder.decode(bytes("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff"))).toEqual(request);
    expect(decoder.decode(bytes("8286 84be 5886 a8eb 1064 9cbf"))).toEqual([
      ...request,
      ["cache-control", "no-cache"],
    ]);
    expect(decoder.decode(bytes("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf"))).toEqual([
      [":method", "GET"],
      [":scheme", "https"],
      [":path", "/index.html"],
      [":authority", "www.example.com"],
      ["custom-key", "custom-value"],
    ]);
  });

  it("reads the answers of RFC 7541 C.6, in which entries are evicted", () => {
    const decoder = new HeaderDecoder();
    const rest = [
      ["cache-control", "private"],
      ["date", "Mon, 21 Oct 2013 20:13:21 GMT"],
      ["location", "https://www.example.com"],
    ];
    const first =
      "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3";
    expect(decoder.decode(bytes(TABLE_OF_256 + first))).toEqual([[":status", "302"], ...rest]);
    expect(decoder.decode(bytes("4883 640e ffc1 c0bf"))).toEqual([[":status", "307"], ...rest]);
    const third =
      "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07";
    expect(decoder.decode(bytes(third))).toEqual([
      [":status", "200"],
      ["cache-control", "private"],
      ["date", "Mon, 21 Oct 2013 20:13:22 GMT"],
      ["location", "https://www.example.com"],
      ["content-encoding", "gzip"],
      ["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"],
    ]);
    expect(decoder.decode(bytes("c0"))).toEqual([["date", "Mon, 21 Oct 2013 20:13:22 GMT"]]);
    expect(() => decoder.decode(bytes("c1"))).toThrow("entry 65, which does not exist");
  });

  it("reads what our own output writes", () => {
    const headers = fc.array(
      fc.tuple(fc.constantFrom("authorization", ":path", "apns-id", "x"), fc.string()),
    );
    const isRead = (pairs: readonly (readonly [string, string])[]): void => {
      const ascii = pairs.map(([name, value]) => [name, value.replaceAll(/[^\x20-\x7e]/g, "")] as const);
      const written = new Output().headers(ascii.flat()).secretHeaders(ascii.flat()).take().bytes;
      expect(new HeaderDecoder().decode(written)).toEqual([...ascii, ...ascii]);
    };
    fc.assert(fc.property(headers, isRead));
  });

  it.each([
    ["index 0", "80"],
    ["an entry that does not exist", "be"],
    ["a block that ends within an integer", "ff"],
    ["an integer without end", "ffffffffffffffff"],
    ["a block that ends within a string", "00 05 61"],
    ["a larger table than granted", "3fe2 1f"],
    ["a Huffman string with its end mark", "00 84 ffff ffff 00"],
    ["a Huffman string with too much padding", "00 82 07ff 00"],
    ["a Huffman string padded with zeros", "00 81 00 00"],
  ])("refuses %s", (_what, hex) => {
    expect(() => new HeaderDecoder().decode(bytes(hex))).toThrow(/header block|Huffman/);
  });

  it("does nothing worse to any bytes than to refuse them", () => {
    const complaintOf = (block: Uint8Array): string => {
      try {
        new HeaderDecoder().decode(Buffer.from(block));
        return "header block";
      } catch (error) {
        return String(error);
      }
    };
    const isHarmless = (block: Uint8Array): boolean => /header block|Huffman/.test(complaintOf(block));
    expect(() => fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), isHarmless))).not.toThrow();
  });
});

describe("a Huffman-coded string", () => {
  it("of nothing is empty", () => {
    expect(decodeHuffman(Buffer.alloc(0))).toBe("");
  });
});
