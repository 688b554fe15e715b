import { escaped } from "./html.ts";
import { type ModuleStatus, type Status } from "./status.ts";

type Mood = "good" | "doubtful" | "bad" | "plain";
type Said = readonly [mood: Mood, words: string];

const DAY = 86_400_000;
/** The days of the alerts. */
const SOON = 30 * DAY;
const URGENT = 3 * DAY;

/** What stands by should something fail: fronts, Redis, Sentinels, and how long certificates last. */
export function failoverTable(status: Status): string {
  const { failover, at } = status;
  const rows: readonly (readonly [string, Said])[] = [
    ["front", placeAtFront(status.components)],
    ["Redis", redis(failover.redis)],
    ["Sentinels", sentinels(failover.sentinels)],
    ["certificate of the front", frontExpiry(failover.certificateExpiresAt, at)],
  ];
  return table(
    "Failover",
    [],
    rows.map(([name, state]) => [cell(name), said(state)]),
  );
}

/** Each module with its breaker and the expiry of its credential. */
export function moduleTable({ modules, at }: Status): string {
  if (modules.length === 0) return "";
  const rows = modules.map(({ module, breaker, credentialExpiresAt }) => [
    // Of up to 64 letters, without a place to break.
    `<td class="name">${escaped(module)}</td>`,
    said(BREAKERS[breaker]),
    said(expiry(credentialExpiresAt, at)),
  ]);
  return table("Modules", ["module", "breaker", "credential"], rows);
}

const BREAKERS = {
  closed: ["good", "closed"],
  probing: ["doubtful", "tries again"],
  open: ["bad", "open: refused"],
} as const satisfies Record<ModuleStatus["breaker"], Said>;

function placeAtFront(components: Status["components"]): Said {
  if ((components["active"] ?? 0) > 0) return ["good", "served by this host"];
  if ((components["standby"] ?? 0) > 0) return ["doubtful", "standby: served by another host"];
  return ["bad", "not connected"];
}

function redis(known: Status["failover"]["redis"]): Said {
  if (known === null) return ["bad", "unknown"];
  if (known.part === "replica") return ["bad", "a replica, which takes no writes"];
  const { replicas } = known;
  if (replicas === 0) return ["plain", "primary, without a replica"];
  return ["good", `primary, ${replicas} replica${replicas === 1 ? "" : "s"}`];
}

function sentinels(known: Status["failover"]["sentinels"]): Said {
  if (known === null) return ["plain", "none: one Redis"];
  const { agreeing, configured } = known;
  const mood = agreeing * 2 <= configured ? "bad" : agreeing < configured ? "doubtful" : "good";
  return [mood, `${agreeing} of ${configured} agree`];
}

function expiry(expiresAt: number | null, now: number): Said {
  if (expiresAt === null) return ["plain", "does not expire"];
  const left = expiresAt - now;
  if (left <= 0) return ["bad", "expired"];
  const days = Math.floor(left / DAY);
  const words = days === 0 ? "expires today" : `${days} day${days === 1 ? "" : "s"} left`;
  return [left < URGENT ? "bad" : left < SOON ? "doubtful" : "good", words];
}

function frontExpiry(expiresAt: number | null, now: number): Said {
  if (expiresAt === null) return ["plain", "not watched"];
  return expiresAt === 0 ? ["bad", "none is served"] : expiry(expiresAt, now);
}

const cell = (text: string): string => `<td>${escaped(text)}</td>`;
const said = ([mood, words]: Said): string => `<td><span class="tag ${mood}">${escaped(words)}</span></td>`;

function table(title: string, heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = heads.map((text) => `<th>${text}</th>`).join("");
  const body = rows.map((cells) => `<tr>${cells.join("")}</tr>`).join("");
  const top = heads.length === 0 ? "" : `<thead><tr>${head}</tr></thead>`;
  return `<section><h2>${title}</h2><table>${top}<tbody>${body}</tbody></table></section>`;
}
