import { connect } from "node:net";

import { describe, expect, it } from "vitest";

import { networkTrouble } from "./index.ts";

const coded = (code: string): Error =>
  Object.assign(new Error("connect to 10.1.2.3 as /run/secret with aabbcc"), { code });

describe("trouble with the network", () => {
  it("is told with what to do, and without what the system says of addresses", async () => {
    const error = await new Promise((resolve) => {
      connect("/nowhere/at/all.sock").once("error", resolve);
    });
    expect(networkTrouble(coded("ECONNREFUSED"))).toBe(
      "nobody listens there: see that it runs, and that host and port are right (ECONNREFUSED)",
    );
    expect(networkTrouble(error)).toBe("it failed (ENOENT)");
  });

  it.each([
    ["ERR_SSL_WRONG_VERSION_NUMBER", "it speaks no TLS that we do, or takes none of ours"],
    ["ERR_HTTP2_STREAM_ERROR", "HTTP/2 broke off"],
    ["HPE_INVALID_CONSTANT", "it speaks no HTTP"],
    ["ESOMETHING", "it failed"],
  ])("of the kind %s is told as a kind", (code, reason) => {
    expect(networkTrouble(coded(code))).toBe(`${reason} (${code})`);
  });

  it.each([new Error("10.1.2.3"), coded("at 10.1.2.3"), coded("constructor"), "10.1.2.3", undefined])(
    "lets no text through that is no code: %s",
    (error) => {
      expect(networkTrouble(error)).toBe("it failed for no reason that is known");
    },
  );
});
