import { hash } from "node:crypto";

import { latencyChart, outcomeChart } from "./charts.ts";
import { headline, titleOf } from "./headline.ts";
import { escaped } from "./html.ts";
import { tabIcon } from "./icons.ts";
import { STYLE } from "./page-style.ts";
import { pathPicture } from "./path-picture.ts";
import { failoverTable, moduleTable } from "./reserves.ts";
import { type Status } from "./status.ts";

/** Fetches the page anew every 2 s while somebody looks at it; greys it out while the sidecar is away. */
const SCRIPT = `const renew = async () => {
  if (!document.hidden) try {
    const answer = await fetch(location.href, { cache: "no-cache" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of ["main", "link[rel=icon]"]) document.querySelector(part).replaceWith(page.querySelector(part));
    document.title = page.title;
    document.body.className = "";
  } catch { document.body.className = "old"; }
  setTimeout(renew, 2000);
};
setTimeout(renew, 2000);`;

const source = (text: string): string => `'sha256-${hash("sha256", text, "base64")}'`;

/** Allows nothing but what the page itself contains. */
export const PAGE_POLICY = `default-src 'none'; style-src ${source(STYLE)}; script-src ${source(SCRIPT)}; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** The status for people: readable on a phone, in the dark and without JavaScript. */
export function statusPage(status: Status): string {
  const { region, ready, version, at, history } = status;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${titleOf(status)} – ${escaped(region)}</title>
<link rel="icon" href="${tabIcon(ready ? "good" : "bad")}">
<style>${STYLE}</style>
<main>
${headline(status)}
${pathPicture(status)}
<div class="pair">${latencyChart(history.points)}${outcomeChart(history.points)}</div>
<div class="pair">${failoverTable(status)}${moduleTable(status)}</div>
<footer><span>reveille ${escaped(version)}</span><time>${utc(at)}</time><a href="status.json">as JSON</a><span class="gone">no answer from this host; what you see is old</span></footer>
</main>
<script>${SCRIPT}</script>
</html>
`;
}

/** Epoch milliseconds as `2026-01-01 00:00:00 UTC`. */
function utc(at: number): string {
  return `${new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium", timeZone: "UTC" }).format(at)} UTC`;
}
