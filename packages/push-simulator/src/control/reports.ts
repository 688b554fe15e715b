import { type Push } from "../ledger.ts";
import { type ApnsSimulator } from "../simulator.ts";
import { type DeviceOrder } from "./shapes.ts";

const PAGE = 1_000;

interface Tally {
  readonly asked: number;
  readonly processed: number;
}

/** With `?token=`: all pushes to it. Without: for each token how often it was asked for and taken. */
export function ledgerOf({ ledger }: ApnsSimulator, query: URLSearchParams): unknown {
  const token = query.get("token");
  if (token !== null) return { pushes: ledger.pushesTo(token) };
  const tokens: Record<string, Tally> = {};
  for (const one of ledger.tokens()) {
    tokens[one] = { asked: ledger.pushesTo(one).length, processed: ledger.processedFor(one).length };
  }
  return { tokens, unrecorded: ledger.unrecorded };
}

/** Pushes in the order of arrival, from number `?from=` on; `next` is where to go on. */
export function logOf({ ledger }: ApnsSimulator, query: URLSearchParams): unknown {
  const from = Number(query.get("from") ?? 0);
  const pushes: readonly Push[] = ledger.pushes.slice(from, from + PAGE);
  return { pushes, next: from + pushes.length };
}

/** What the device of `?token=` shows, and what is stored for it. */
export function deviceOf({ devices }: ApnsSimulator, query: URLSearchParams): unknown {
  const token = query.get("token") ?? "";
  return { shown: devices.shownOn(token), stored: devices.storedFor(token) };
}

/** Changes the devices of all tokens named. */
export function orderDevices(simulator: ApnsSimulator, order: DeviceOrder): void {
  for (const token of order.tokens) orderDevice(simulator, token, order);
}

function orderDevice({ devices }: ApnsSimulator, token: string, order: DeviceOrder): void {
  const { state, reason, timestamp, topics, environment } = order;
  switch (state) {
    case "registered":
      devices.register(token, {
        ...(topics === undefined ? {} : { topics }),
        ...(environment === undefined ? {} : { environment }),
      });
      return;
    case "dead":
      devices.kill(token, reason, timestamp);
      return;
    case "bad":
      devices.bad(token);
      return;
    case "offline":
      devices.offline(token);
      return;
    case "online":
      devices.online(token);
      return;
    case "forgotten":
      devices.forget(token);
      return;
  }
}
