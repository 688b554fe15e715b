import { type ApnsSimulator } from "../simulator.ts";
import { type Check } from "./check.ts";
import { deviceOf, ledgerOf, logOf, orderDevices } from "./reports.ts";
import {
  isBehaviourChange,
  isConnectFaultOrder,
  isConnectionOrder,
  isDeviceOrder,
  isGoaway,
  isResetStreamsOrder,
  isRule,
} from "./shapes.ts";

/** An order that cannot be carried out as it stands; the message says why. Becomes 400. */
export class OrderError extends Error {}

/** Answers one request: `body` is its JSON, `{}` if it had none. Throws OrderError. */
export type Route = (body: unknown, query: URLSearchParams) => unknown;

/** Routes by method and path. */
export type Routes = ReadonlyMap<string, Route>;

/** The whole control API of a simulator. */
export const routesOf = (simulator: ApnsSimulator): Routes =>
  new Map([...looks(simulator), ...rules(simulator), ...faults(simulator), ...life(simulator)]);

const looks = (simulator: ApnsSimulator): Iterable<[string, Route]> => [
  ["GET /_sim/stats", () => simulator.stats()],
  ["GET /_sim/connections", () => simulator.connections],
  ["GET /_sim/ca", () => ({ ca: simulator.ca, url: simulator.url })],
  ["GET /_sim/ledger", (_body, query) => ledgerOf(simulator, query)],
  ["GET /_sim/log", (_body, query) => logOf(simulator, query)],
  ["GET /_sim/tokens", (_body, query) => deviceOf(simulator, query)],
  ["GET /_sim/behaviour", () => simulator.behaviour],
];

const rules = (simulator: ApnsSimulator): Iterable<[string, Route]> => [
  ["GET /_sim/rules", () => simulator.rules.active.map(({ id, hits, rule }) => ({ id, hits, rule }))],
  ["POST /_sim/rules", order(isRule, (rule) => ({ id: simulator.rules.add(rule).id }))],
  ["DELETE /_sim/rules", () => simulator.rules.clear()],
  [
    "POST /_sim/connect-faults",
    order(isConnectFaultOrder, ({ fault, times }) => simulator.connectFaults.add(fault, times)),
  ],
  ["DELETE /_sim/connect-faults", () => simulator.connectFaults.clear()],
];

const faults = (simulator: ApnsSimulator): Iterable<[string, Route]> => {
  const onConnection = (act: (connection?: number) => void): Route =>
    order(isConnectionOrder, ({ connection }) => act(connection));
  return [
    ["POST /_sim/goaway", order(isGoaway, simulator.goaway)],
    ["POST /_sim/shutdown", onConnection(simulator.shutdown)],
    ["POST /_sim/freeze", onConnection(simulator.freeze)],
    ["POST /_sim/thaw", onConnection(simulator.thaw)],
    ["POST /_sim/reset-connections", onConnection(simulator.resetConnections)],
    [
      "POST /_sim/reset-streams",
      order(isResetStreamsOrder, ({ code, connection }) => simulator.resetStreams(code, connection)),
    ],
  ];
};

const life = (simulator: ApnsSimulator): Iterable<[string, Route]> => [
  ["POST /_sim/tokens", order(isDeviceOrder, (one) => orderDevices(simulator, one))],
  ["POST /_sim/behaviour", order(isBehaviourChange, simulator.change)],
  ["POST /_sim/reset", () => simulator.reset()],
  ["POST /_sim/stop", async () => simulator.stop()],
  ["POST /_sim/start", async () => simulator.start()],
];

/** A route whose body must pass `check`. */
export function order<T>(check: Check<T>, act: (order: T) => unknown): Route {
  return (body) => {
    const problems: string[] = [];
    if (check(body, "body", problems)) return act(body);
    throw new OrderError(problems.join("; "));
  };
}
