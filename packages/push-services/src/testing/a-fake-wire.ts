import { type OpenWire, type WireEvents, type WireRequest } from "../http2/wire.ts";

/** Connections that remember what was asked of them, and answer nothing but pings. */
export interface FakeWires {
  readonly openWire: OpenWire;
  readonly opened: readonly WireEvents[];
  readonly requests: readonly WireRequest[];
  readonly calls: readonly string[];
}

/** `destroyed` says what happens when one is destroyed. */
export function fakeWires(
  destroyed: (requests: readonly WireRequest[]) => void = () => undefined,
): FakeWires {
  const opened: WireEvents[] = [];
  const requests: WireRequest[] = [];
  const calls: string[] = [];
  const openWire: OpenWire = (events) => {
    opened.push(events);
    const mine: WireRequest[] = [];
    return {
      request: (request) => {
        requests.push(request);
        mine.push(request);
        return { cancel: () => void calls.push("cancel") };
      },
      ping: (heard) => queueMicrotask(() => heard(true)),
      close: () => void calls.push("close"),
      destroy: () => {
        calls.push("destroy");
        queueMicrotask(() => destroyed(mine));
      },
    };
  };
  return { openWire, opened, requests, calls };
}

/** A push whose settling the test does not look at. */
export const aPush = {
  device: "aa",
  path: "/3/device/aa",
  form: { headers: [], body: Buffer.from("{}") },
  ownHeaders: [],
  id: "id",
  settle: () => undefined,
} as const;
