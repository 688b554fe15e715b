import { hash } from "node:crypto";

import { latencyChart, outcomeChart } from "./charts.ts";
import { escaped } from "./html.ts";
import { STYLE } from "./page-style.ts";
import { pathPicture } from "./path-picture.ts";
import { type ModuleStatus, type Status } from "./status.ts";

/** Fetches the page anew every 2 s while somebody looks at it; greys it out while the sidecar is away. */
const SCRIPT = `const renew = async () => {
  if (!document.hidden) try {
    const answer = await fetch(location.href, { cache: "no-cache" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.querySelector("main").replaceWith(page.querySelector("main"));
    document.title = page.title;
    document.body.className = "";
  } catch { document.body.className = "old"; }
  setTimeout(renew, 2000);
};
setTimeout(renew, 2000);`;

const source = (text: string): string => `'sha256-${hash("sha256", text, "base64")}'`;

/** Allows nothing but what the page itself contains. */
export const PAGE_POLICY = `default-src 'none'; style-src ${source(STYLE)}; script-src ${source(SCRIPT)}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** The status for people: readable on a phone, in the dark and without JavaScript. */
export function statusPage(status: Status): string {
  const { region, host, ready, version, at, history } = status;
  const headline = ready ? "Push works" : "Push does not work here";
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${headline} – ${escaped(region)}</title>
<style>${STYLE}</style>
<main>
<header><h1 class="${ready ? "good" : "bad"}">${headline}</h1><span>region ${escaped(region)}, host ${escaped(host)}</span></header>
${pathPicture(status)}
<div class="charts">${latencyChart(history.points)}${outcomeChart(history.points)}</div>
${moduleTable(status.modules, at)}
<footer>reveille ${escaped(version)}, <time>${utc(at)}</time>. The same as <a href="status.json">JSON</a>.</footer>
</main>
<script>${SCRIPT}</script>
</html>
`;
}

const BREAKERS = {
  closed: ["good", "works"],
  probing: ["doubtful", "is being tried again"],
  open: ["bad", "refused by the push service"],
} as const satisfies Record<ModuleStatus["breaker"], readonly [string, string]>;

function moduleTable(modules: readonly ModuleStatus[], now: number): string {
  if (modules.length === 0) return "";
  const rows = modules.map(({ module, breaker, credentialExpiresAt }) => {
    const [mood, words] = BREAKERS[breaker];
    const expiry = credentialExpiresAt === null ? "–" : daysLeft(credentialExpiresAt - now);
    return `<tr><td>${escaped(module)}</td><td class="${mood}">${words}</td><td>${expiry}</td></tr>`;
  });
  return `<h2>Modules</h2><table><tr><th>module</th><th>credential</th><th>expires</th></tr>${rows.join("")}</table>`;
}

const DAY = 86_400_000;
const daysLeft = (left: number): string => (left <= 0 ? "expired" : `in ${Math.floor(left / DAY)} days`);

/** Epoch milliseconds as `2026-01-01 00:00:00 UTC`. */
function utc(at: number): string {
  return `${new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium", timeZone: "UTC" }).format(at)} UTC`;
}
