import { escaped, perSecond, spoken } from "./html.ts";
import { icon } from "./icons.ts";
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
  const { region, host, ready } = status;
  const mood = ready ? "good" : "bad";
  return `<header class="${mood}"><div class="state">${icon(mood)}<div><h1>${titleOf(status)}</h1>
<p>region <b>${escaped(region)}</b>, host <b>${escaped(host).replaceAll(".", ".<wbr>")}</b></p></div></div>${figures(status)}</header>${why(status)}`;
}

export const titleOf = ({ ready, lacking }: Status): string => {
  if (ready) return "Push works";
  return lacking.includes("draining") ? "This host is being drained" : "Push does not work here";
};

function why({ lacking }: Status): string {
  if (lacking.length === 0) return "";
  const reasons = lacking.map((part) => `<li>${escaped(LACKING.get(part) ?? `${part} is not ready`)}</li>`);
  return `<ul class="why">${reasons.join("")}</ul>`;
}

function figures({ now, queue }: Status): string {
  const pairs: readonly (readonly [string, string])[] = [
    ["publishes", now === null ? "–" : perSecond(now.publishesPerSecond)],
    ["delivered", now === null ? "–" : perSecond(now.outcomesPerSecond["delivered"] ?? 0)],
    ["latency", now === null || now.latencyP50 === null ? "–" : spoken(now.latencyP50)],
    ["oldest waiting", queue.oldestSeconds === null ? "–" : spoken(queue.oldestSeconds)],
  ];
  const items = pairs.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`);
  return `<dl class="figures">${items.join("")}</dl>`;
}
