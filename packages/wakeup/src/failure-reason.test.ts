import { describe, expect, it } from "vitest";

import { failureReason } from "./index.ts";

const SECRET = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";

class ReplyError extends Error {
  override readonly name = "ReplyError";
}

describe("the reason of a failure", () => {
  it.each([
    [new ReplyError(`ERR unknown command 'EVALSHA', with args beginning with: '${SECRET}' `), "ERR"],
    [new ReplyError("OOM command not allowed when used memory > 'maxmemory'."), "OOM"],
    [new ReplyError("NOREPLICAS"), "NOREPLICAS"],
    [Object.assign(new Error(`connect ${SECRET}`), { code: "ECONNREFUSED" }), "ECONNREFUSED"],
    [new Error("Command timed out"), "Command timed out"],
    [new SyntaxError(`Unexpected token 'q', "${SECRET}" is not valid JSON`), "SyntaxError"],
    [SECRET, "unknown error"],
  ])("of %o is %s", (error, reason) => {
    expect(failureReason(error)).toBe(reason);
  });
});
