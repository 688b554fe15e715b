import { ManualClock } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { type OpenWire, type WireEvents, type WireRequest } from "../http2/wire.ts";
import { Connection } from "./connection.ts";
import { type Passage } from "./passage.ts";

const passage: Passage = {
  push: {
    path: "/3/device/aa",
    form: { headers: [], body: Buffer.from("{}") },
    ownHeaders: [],
    apnsId: "id",
    settle: () => undefined,
  },
  leave: { kind: "leave", probe: false },
  waitingSince: new ManualClock().monotonic(),
  repeats: 0,
  triedOn: undefined,
};

describe("a connection", () => {
  it("that has no streams left drains, and ends with the last answer", () => {
    const requests: WireRequest[] = [];
    const told: string[] = [];
    let events: WireEvents | undefined;
    const openWire: OpenWire = (given) => {
      events = given;
      return {
        request: (request) => {
          requests.push(request);
          return { cancel: () => undefined };
        },
        ping: () => undefined,
        close: () => void told.push("close"),
        destroy: () => undefined,
      };
    };
    const connection = new Connection({
      id: 1,
      openWire,
      hold: undefined,
      clock: new ManualClock(),
      mostPushes: 2,
      listener: {
        stateChanged: ({ state }) => void told.push(state),
        streamLimitChanged: () => undefined,
        goawayReceived: () => undefined,
        settled: () => undefined,
      },
    });
    events?.settings(10);
    connection.send(passage);
    requests[0]?.settle({ kind: "answered", status: 200, body: "", retryAfter: undefined });
    connection.send(passage);
    expect(told).toEqual(["probing", "open", "draining"]);
    expect(connection.slots).toBe(0);
    requests[1]?.settle({ kind: "answered", status: 200, body: "", retryAfter: undefined });
    expect(told.at(-1)).toBe("close");
  });
});
