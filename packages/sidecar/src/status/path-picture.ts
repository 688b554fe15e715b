import { counted, escaped, perSecond, spoken } from "./html.ts";
import { icon, type IconName } from "./icons.ts";
import { type RoleStatus, type Status } from "./status.ts";

type Mood = "good" | "doubtful" | "bad" | "unknown";

interface Station {
  readonly name: IconName;
  readonly mood: Mood;
  readonly detail: string;
  /** What travels on the arrow that leads here; `null` if nobody counts it. */
  readonly flow: Flow | null;
}

interface Flow {
  readonly perSecond: number;
  readonly text: string;
}

/** Oldest wakeups younger than this are the ordinary coming and going of batches. */
const SLOW_SECONDS = 10;

const ARROW = `<svg viewBox="0 0 60 12" aria-hidden="true"><path d="M2 6H54"/><path class="head" d="M50 1.5 56 6l-6 4.5"/></svg>`;

/** The path of a wakeup through this host, station by station, with what flows now. */
export function pathPicture(status: Status): string {
  const items = stationsOf(status).map(
    (station, index) => `${index === 0 ? "" : arrow(station.flow)}${card(station)}`,
  );
  return `<ol class="path">${items.join("")}</ol>`;
}

const card = ({ name, mood, detail }: Station): string =>
  `<li class="station ${mood}">${icon(name)}<b>${name}</b><span>${escaped(detail)}</span></li>`;

function arrow(flow: Flow | null): string {
  const flows = flow !== null && flow.perSecond > 0 ? " flowing" : "";
  return `<li class="arrow${flows}"><span>${escaped(flow?.text ?? "")}</span>${ARROW}</li>`;
}

function stationsOf(status: Status): readonly Station[] {
  const { now } = status;
  const flow = (rate: number | undefined): Flow | null =>
    rate === undefined ? null : { perSecond: rate, text: perSecond(rate) };
  const publishes = flow(now?.publishesPerSecond);
  const accepted = flow(now?.acceptedPerSecond);
  const answers = flow(now === null ? undefined : sum(now.outcomesPerSecond));
  // Not every publish becomes a push: what leaves the queue is what is answered.
  return [
    { ...front(status.components), flow: null },
    { name: "ingress", ...ingress(status), flow: publishes },
    { name: "queue", ...queueStation(status), flow: accepted },
    { name: "worker", ...worker(status), flow: answers },
    { ...pushService(status.connections), flow: answers },
  ];
}

function front(components: Status["components"]): Omit<Station, "flow"> {
  const active = components["active"] ?? 0;
  if (active > 0) return { name: "front", mood: "good", detail: "connected" };
  const standby = components["standby"] ?? 0;
  if (standby > 0) return { name: "front", mood: "doubtful", detail: "served by another host" };
  const known = Object.keys(components).length > 0;
  return { name: "front", mood: known ? "bad" : "unknown", detail: known ? "not connected" : "unknown" };
}

type Look = Pick<Station, "mood" | "detail">;

/** Parts of an ingress that are shown at other stations, where they belong for who looks at the path. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  "draining",
  "component",
  "redis",
  "redis-writes",
  "sentinels",
  "queue",
  "region-worker",
]);

function ingress(status: Status): Look {
  const { answering, silent } = countsOf(status, "ingress");
  if (answering + silent === 0) return { mood: "bad", detail: "none running" };
  const detail = running(answering, silent);
  if (answering === 0 || status.lacking.some((part) => !ELSEWHERE.has(part))) return { mood: "bad", detail };
  return { mood: silent > 0 ? "doubtful" : "good", detail };
}

function worker(status: Status): Look {
  const { answering, ready, silent } = countsOf(status, "worker");
  const noneAnywhere = status.lacking.includes("region-worker");
  // Those of other hosts drain the same queue.
  if (answering + silent === 0)
    return noneAnywhere ? { mood: "bad", detail: "none running" } : { mood: "doubtful", detail: "none here" };
  const detail = running(answering, silent);
  if (ready === 0) return { mood: "bad", detail: `${detail}, none can send` };
  return ready < answering
    ? { mood: "doubtful", detail: `${detail}, ${ready} can send` }
    : { mood: silent > 0 ? "doubtful" : "good", detail };
}

function countsOf({ roles }: Status, role: RoleStatus["role"]): Omit<RoleStatus, "role"> {
  return roles.find((each) => each.role === role) ?? { answering: 0, ready: 0, silent: 0 };
}

const running = (answering: number, silent: number): string =>
  [...(answering > 0 ? [`${answering} running`] : []), ...(silent > 0 ? [`${silent} silent`] : [])].join(
    ", ",
  );

/** What of Redis and the queue in it an ingress may lack, the first cause first. */
const QUEUE_LACKS = [
  ["redis", "Redis is away"],
  ["redis-writes", "takes no writes"],
  ["sentinels", "no Sentinel majority"],
  ["queue", "does not move"],
] as const;

function queueStation({ queue, lacking }: Status): Look {
  const lacks = QUEUE_LACKS.find(([part]) => lacking.includes(part));
  if (lacks !== undefined) return { mood: "bad", detail: lacks[1] };
  const { batches, oldestSeconds, trailingDevices } = queue;
  if (batches === null || oldestSeconds === null) return { mood: "unknown", detail: "unknown" };
  const trailing =
    trailingDevices === null || trailingDevices === 0 ? "" : `, ${counted(trailingDevices)} due later`;
  if (oldestSeconds < SLOW_SECONDS) return { mood: "good", detail: `${counted(batches)} waiting${trailing}` };
  return { mood: "doubtful", detail: `waits up to ${spoken(oldestSeconds)}${trailing}` };
}

function pushService(connections: Status["connections"]): Omit<Station, "flow"> {
  const { open = 0, probing = 0 } = connections;
  // One that is probing is there, and waits for the first push to show what it is worth.
  const some = open > 0 ? open : probing;
  const detail = `${some} connection${some === 1 ? "" : "s"}${open > 0 ? "" : ", not used yet"}`;
  if (some > 0) return { name: "APNs", mood: "good", detail };
  const known = Object.keys(connections).length > 0;
  return { name: "APNs", mood: known ? "bad" : "unknown", detail: known ? "no connection" : "unknown" };
}

const sum = (rates: Readonly<Record<string, number>>): number =>
  Object.values(rates).reduce((a, b) => a + b, 0);
