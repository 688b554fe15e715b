import { createPrivateKey, createPublicKey, generateKeyPairSync, verify } from "node:crypto";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { signEs256, signingKeyOf } from "./es256.ts";

const rfc6979Key = createPrivateKey({
  format: "jwk",
  key: {
    kty: "EC",
    crv: "P-256",
    d: Buffer.from("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721", "hex").toString(
      "base64url",
    ),
    x: Buffer.from("60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6", "hex").toString(
      "base64url",
    ),
    y: Buffer.from("7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299", "hex").toString(
      "base64url",
    ),
  },
}).export({ format: "pem", type: "pkcs8" });

describe("an ES256 signature", () => {
  it.each([
    [
      "sample",
      "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
      "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
    ],
    [
      "test",
      "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367",
      "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
    ],
  ])("of %j is the one of RFC 6979 A.2.5", (text, r, s) => {
    const signature = signEs256(signingKeyOf(rfc6979Key.toString()), text);
    expect(signature).toBe(Buffer.from(r + s, "hex").toString("base64url"));
  });

  it("of any text by any key is accepted by OpenSSL, and the same again", () => {
    const accepted = (text: string): void => {
      const pair = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
      const key = signingKeyOf(pair.privateKey.export({ format: "pem", type: "pkcs8" }).toString());
      const signature = signEs256(key, text);
      expect(signEs256(key, text)).toBe(signature);
      const bytes = Buffer.from(signature, "base64url");
      const by = { key: createPublicKey(pair.privateKey), dsaEncoding: "ieee-p1363" as const };
      expect(verify("sha256", Buffer.from(text), by, bytes)).toBe(true);
    };
    fc.assert(fc.property(fc.string(), accepted), { numRuns: 50 });
  });
});

describe("a signing key", () => {
  it("is refused on another curve", () => {
    const pem = generateKeyPairSync("ec", { namedCurve: "secp384r1" }).privateKey.export({
      format: "pem",
      type: "pkcs8",
    });
    expect(() => signingKeyOf(pem.toString())).toThrow("not on the curve P-256");
  });

  it("is refused without showing what was read", () => {
    expect(() => signingKeyOf("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----")).toThrow(
      /^holds no private key in PEM form/,
    );
  });
});
