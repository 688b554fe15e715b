import { expiredFor } from "../front-certificates.ts";
import { escaped, perSecond, spoken, utc } from "./html.ts";
import { icon } from "./icons.ts";
import { type ModuleStatus, muteModules } from "./module-status.ts";
import { concernsOf } from "./reserves.ts";
import { type Status } from "./status.ts";

/** What a host lacks, for people who don't know its parts. */
const LACKING: ReadonlyMap<string, string> = new Map([
  ["draining", "this host is being drained; its traffic goes to another one"],
  ["runtime-folder", "the roles of this host cannot be seen"],
  ["ingress", "the ingress does not answer"],
  ["component", "the front is not connected"],
  ["intake", "publishes are held back"],
  ["redis", "Redis is away"],
  ["redis-writes", "Redis takes no writes"],
  ["sentinels", "no majority of the Sentinels is in sight"],
  ["queue", "the queue does not move"],
  ["region-worker", "no worker of the region can send"],
]);

/** Whether push works, why not, and the figures of this moment. */
export function headline(status: Status): string {
  const { region, host, at } = status;
  const mood = moodOf(status);
  return `<header class="${mood}"><div class="state">${icon(mood)}<div><h1>${escaped(titleOf(status))}</h1>
<p>region <b>${escaped(region)}</b>, host <b>${escaped(host).replaceAll(".", ".<wbr>")}</b></p>
<p class="asof">as of <time datetime="${utc(at)}Z">${utc(at)} UTC</time></p></div></div>${figures(status)}</header>${why(status)}`;
}

/** Of the host as a whole. */
export type HostMood = "good" | "doubtful" | "bad";

export function moodOf(status: Status): HostMood {
  if (!status.ready) return "bad";
  return concernsOf(status).length > 0 ? "doubtful" : "good";
}

export function titleOf(status: Status): string {
  switch (moodOf(status)) {
    case "good":
      return "Push works";
    case "doubtful":
      return exceptFor(muteModules(status.modules)) ?? "Push works, with trouble";
    case "bad":
      return status.lacking.includes("draining") ? "This host is being drained" : "Push does not work here";
  }
}

/** Names of two have room in a line. */
function exceptFor(mute: readonly ModuleStatus[]): string | undefined {
  if (mute.length === 0) return undefined;
  const names = mute.length > 2 ? `${mute.length} modules` : mute.map(({ module }) => module).join(" and ");
  return `Push works here, except for the apps of ${names}`;
}

function why(status: Status): string {
  const reasons = status.ready ? concernsOf(status) : status.lacking.map((part) => lackOf(part, status));
  if (reasons.length === 0) return "";
  const items = reasons.map((reason) => `<li>${escaped(reason)}</li>`);
  return `<ul class="why ${moodOf(status)}">${items.join("")}</ul>`;
}

function lackOf(part: string, { failover, at }: Status): string {
  if (part !== "front-certificate") return LACKING.get(part) ?? `${part} is not ready`;
  const { certificateExpiresAt: expiresAt } = failover;
  return expiresAt === null || expiresAt === 0
    ? "the front serves no valid certificate for our hostname"
    : `the certificate of the front ${expiredFor(expiresAt, at)}`;
}

function figures({ now, queue }: Status): string {
  const pairs: readonly (readonly [string, string])[] = [
    ["publishes", now === null ? "–" : perSecond(now.publishesPerSecond)],
    ["delivered", now === null ? "–" : perSecond(now.outcomesPerSecond["delivered"] ?? 0)],
    ["latency", now === null || now.latencyP50 === null ? "–" : spoken(now.latencyP50)],
    [
      "oldest waiting",
      queue.oldestSeconds === null ? "–" : queue.oldestSeconds === 0 ? "none" : spoken(queue.oldestSeconds),
    ],
  ];
  const items = pairs.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`);
  return `<dl class="figures">${items.join("")}</dl>`;
}
