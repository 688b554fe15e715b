import { expiredFor } from "../front-certificates.ts";
import { escaped, spoken } from "./html.ts";
import { type ModuleStatus } from "./module-status.ts";
import { isOutOfReach } from "./replies-reach.ts";
import { type Status } from "./status.ts";

type Mood = "good" | "doubtful" | "bad" | "plain";
type Said = readonly [mood: Mood, words: string];
type Row = readonly [name: string, state: Said];

const DAY = 86_400_000;
/** The days of the alerts. */
const SOON = 30 * DAY;
const URGENT = 3 * DAY;

/** What stands by should something fail: fronts, Redis, Sentinels, and how long certificates last. */
export const failoverTable = (status: Status): string =>
  table(
    "Failover",
    [],
    reservesOf(status).map(([name, state]) => [cell(name), said(state)]),
  );

/** What is bad though pushes go out: of what stands by, and of single modules. */
export function concernsOf(status: Status): readonly string[] {
  const { modules, at } = status;
  const states = [
    ...reservesOf(status),
    ...modules.flatMap((each): readonly Row[] => [
      [`${each.breaker === "closed" ? "push service" : "breaker"} of ${each.module}`, wayOf(each)],
      [`credential of ${each.module}`, expiry(each.credentialExpiresAt, at)],
    ]),
  ];
  return states.filter(([, [mood]]) => mood === "bad").map(([name, [, words]]) => `${name} – ${words}`);
}

function reservesOf({ components, failover, at, repliesReach, clockAheadSeconds }: Status): readonly Row[] {
  return [
    ["front", placeAtFront(components)],
    ...otherFronts(failover.otherFronts),
    ["Redis", redis(failover.redis)],
    ["Sentinels", sentinels(failover)],
    ["certificate of the front", frontExpiry(failover.certificateExpiresAt, at)],
    ["replies to senders", replies(repliesReach)],
    ...clock(clockAheadSeconds),
  ];
}

/** Without XEP-0288, the usual case, a reply takes a connection to the sender's server. */
function replies(known: Status["repliesReach"]): Said {
  if (known === null) return UNKNOWN;
  const { reached, unreached } = known;
  if (reached + unreached === 0) return ["plain", "nobody has published"];
  if (unreached === 0) return ["good", `reach all ${reached}`];
  const text = `do not reach ${unreached} of ${reached + unreached}`;
  return [isOutOfReach(known) ? "bad" : "plain", text];
}

/** That of the alert. */
const MOST_SKEW_SECONDS = 30;

function clock(ahead: number | null): readonly Row[] {
  if (ahead === null || Math.abs(ahead) <= MOST_SKEW_SECONDS) return [];
  const off = spoken(Math.abs(ahead));
  return [["clock", ["bad", `this host is ${off} ${ahead > 0 ? "ahead of" : "behind"} Redis`]]];
}

/** Each module with its way to the push service and the expiry of its credential. */
export function moduleTable({ modules, at }: Status): string {
  if (modules.length === 0)
    return `<section><h2>Modules</h2><p>No worker of this host tells of any.</p></section>`;
  const rows = modules.map((each) => [
    // Of up to 64 letters, without a place to break.
    `<td class="name">${escaped(each.module)}</td>`,
    said(wayOf(each), "breaker"),
    said(expiry(each.credentialExpiresAt, at), "credential"),
  ]);
  return table("Modules", ["module", "breaker", "credential"], rows);
}

const UNKNOWN: Said = ["plain", "unknown"];

const BREAKERS = {
  closed: ["good", "closed: sends"],
  probing: ["doubtful", "probing: tries again"],
  open: ["bad", "open: refused"],
} as const satisfies Record<ModuleStatus["breaker"], Said>;

/** Whether its pushes get out: past its breaker, and over a connection. */
function wayOf({ breaker, sending }: ModuleStatus): Said {
  const said = BREAKERS[breaker];
  if (sending !== "failing") return said;
  return breaker === "closed" ? ["bad", "out of reach of this host"] : ["bad", said[1]];
}

function placeAtFront(components: Status["components"]): Said {
  if ((components["active"] ?? 0) > 0) return ["good", "served by this host"];
  if ((components["standby"] ?? 0) > 0) return ["doubtful", "standby: served by another host"];
  return Object.keys(components).length > 0 ? ["bad", "not connected"] : UNKNOWN;
}

/** What would happen to their traffic, and to ours. */
function otherFronts(states: Status["failover"]["otherFronts"]): readonly Row[] {
  const { standby = 0, active = 0, connecting = 0, down = 0 } = states;
  const away = connecting + down;
  const all = standby + active + away;
  if (all === 0) return [];
  const count = (some: number, words: string): string => (all === 1 ? words : `${some} ${words}`);
  const words = [
    ...(standby > 0 ? [count(standby, "served by its own host")] : []),
    ...(active > 0 ? [count(active, "served by this host")] : []),
    ...(away > 0 ? [count(away, "not reachable")] : []),
  ].join(", ");
  const name = all === 1 ? "front of the other host" : "fronts of other hosts";
  return [[name, [away > 0 ? "bad" : active > 0 ? "doubtful" : "good", words]]];
}

function redis(known: Status["failover"]["redis"]): Said {
  if (known === null) return UNKNOWN;
  if (known.part === "replica") return ["bad", "a replica, which takes no writes"];
  const { replicas } = known;
  if (replicas === 0) return ["plain", "primary, no replica"];
  return ["good", `primary, ${replicas} replica${replicas === 1 ? "" : "s"}`];
}

function sentinels(failover: Status["failover"]): Said {
  // Who tells nothing of Redis may tell nothing of its Sentinels either.
  if (failover.sentinels === null) return failover.redis === null ? UNKNOWN : ["plain", "none: one Redis"];
  const { agreeing, configured } = failover.sentinels;
  const mood = agreeing * 2 <= configured ? "bad" : agreeing < configured ? "doubtful" : "good";
  return [mood, `${agreeing} of ${configured} agree`];
}

function expiry(expiresAt: number | null, now: number): Said {
  if (expiresAt === null) return ["plain", "does not expire"];
  const left = expiresAt - now;
  if (left <= 0) return ["bad", expiredFor(expiresAt, now)];
  const days = Math.floor(left / DAY);
  const words = days === 0 ? "expires today" : `${days} day${days === 1 ? "" : "s"} left`;
  return [left < URGENT ? "bad" : left < SOON ? "doubtful" : "good", words];
}

function frontExpiry(expiresAt: number | null, now: number): Said {
  if (expiresAt === null) return ["plain", "not watched"];
  return expiresAt === 0 ? ["bad", "none is served"] : expiry(expiresAt, now);
}

const cell = (text: string): string => `<td>${escaped(text)}</td>`;
/** `about` stands for the head of the column where there is no room for one. */
const said = ([mood, words]: Said, about = ""): string =>
  `<td data-about="${about}"><span class="tag ${mood}">${escaped(words)}</span></td>`;

function table(title: string, heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = heads.map((text) => `<th>${text}</th>`).join("");
  const body = rows.map((cells) => `<tr>${cells.join("")}</tr>`).join("");
  const top = heads.length === 0 ? "" : `<thead><tr>${head}</tr></thead>`;
  return `<section><h2>${title}</h2><table>${top}<tbody>${body}</tbody></table></section>`;
}
