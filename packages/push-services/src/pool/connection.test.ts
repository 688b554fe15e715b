import { ManualClock } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { type WireResult } from "../http2/wire.ts";
import { APNS } from "../apns/profile.ts";
import { aPush, fakeWires } from "../testing/a-fake-wire.ts";
import { Connection } from "./connection.ts";
import { type Passage } from "./passage.ts";

const OK: WireResult = { kind: "answered", status: 200, body: "", retryAfter: undefined };

describe("a connection", () => {
  it("that has no streams left drains, and closes after the last answer", () => {
    const { openWire, opened, requests, calls } = fakeWires();
    const states: string[] = [];
    const clock = new ManualClock();
    const connection = new Connection({
      id: 1,
      openWire,
      hold: undefined,
      profile: APNS,
      clock,
      mostPushes: 2,
      listener: {
        stateChanged: ({ state }) => void states.push(state),
        streamLimitChanged: () => undefined,
        goawayReceived: () => undefined,
        settled: () => undefined,
      },
    });
    const permit = { kind: "permit", probe: false, device: "aa" } as const;
    const passage: Passage = {
      push: aPush,
      permit,
      waitingSince: clock.monotonic(),
      blamed: false,
      repeats: 0,
      triedOn: undefined,
    };
    opened[0]?.settings(10);
    connection.send(passage);
    requests[0]?.settle(OK);
    connection.send(passage);
    expect(states).toEqual(["probing", "open", "draining"]);
    expect([connection.slots, calls]).toEqual([0, []]);
    requests[1]?.settle(OK);
    expect(calls).toEqual(["close"]);
  });

  it("is destroyed by the ninth GOAWAY, so that a server cannot fill the log", () => {
    const { openWire, opened, calls } = fakeWires();
    const told: string[] = [];
    const connection = new Connection({
      id: 1,
      openWire,
      hold: undefined,
      profile: APNS,
      clock: new ManualClock(),
      listener: {
        stateChanged: () => undefined,
        streamLimitChanged: () => undefined,
        goawayReceived: (reason) => void told.push(reason),
        settled: () => undefined,
      },
    });
    opened[0]?.settings(10);
    const passage = {
      push: aPush,
      permit: { kind: "permit", probe: false, device: "aa" } as const,
      waitingSince: connection.openedAt,
    };
    connection.send({ ...passage, blamed: false, repeats: 0, triedOn: undefined });
    for (let count = 0; count < 20; count += 1) opened[0]?.goaway('{"reason":"Shutdown"}');
    expect(told).toHaveLength(8);
    expect(calls).toContain("destroy");
  });
});
