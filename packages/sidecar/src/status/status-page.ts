import { hash } from "node:crypto";

import { latencyChart, outcomeChart } from "./charts.ts";
import { headline, moodOf, titleOf } from "./headline.ts";
import { escaped } from "./html.ts";
import { tabIcon } from "./icons.ts";
import { STYLE } from "./page-style.ts";
import { pathPicture } from "./path-picture.ts";
import { failoverTable, moduleTable } from "./reserves.ts";
import { type Status } from "./status.ts";

/**
 * Fetches the page anew every 2 s while somebody looks at it. If for 8 s nothing newer came, for whatever reason (no
 * answer, a proxy's page of errors, a cache that goes on with what it has), it says that it is old.
 */
const SCRIPT = `const the = (name, page = document) => page.querySelector(name);
let newest = the("main time").dateTime, since = performance.now();
const renew = async () => {
  try {
    const answer = await fetch(location.href, { cache: "no-cache", signal: AbortSignal.timeout(5000) });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const time = the("main time", page)?.dateTime ?? newest;
    if (time !== newest) {
      for (const part of ["main", "link[rel=icon]", ".version"]) the(part).replaceWith(the(part, page));
      document.title = page.title;
      [newest, since] = [time, performance.now()];
    }
  } catch {}
  const isOld = performance.now() - since > 8000;
  document.body.classList.toggle("old", isOld);
  if (!isOld) return;
  document.title = the(".gone").dataset.title;
  the("link[rel=icon]").href = the(".gone").dataset.icon;
};
const keep = async () => {
  if (!document.hidden) await renew();
  setTimeout(keep, 2000);
};
setTimeout(keep, 2000);
document.addEventListener("visibilitychange", () => document.hidden || renew());`;

const source = (text: string): string => `'sha256-${hash("sha256", text, "base64")}'`;

/** Allows nothing but what the page itself contains. */
export const PAGE_POLICY = `default-src 'none'; style-src ${source(STYLE)}; script-src ${source(SCRIPT)}; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** The status for people: readable on a phone, in the dark and without JavaScript. */
export function statusPage(status: Status): string {
  const { region, version, history } = status;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escaped(titleOf(status))} – ${escaped(region)}</title>
<link rel="icon" href="${tabIcon(moodOf(status))}">
<style>${STYLE}</style>
<div class="gone" role="status" data-title="No answer – ${escaped(region)}" data-icon="${tabIcon("unknown")}"><b>No answer from this host.</b> What you see is old.</div>
<main>
${headline(status)}
${pathPicture(status)}
<div class="pair">${latencyChart(history)}${outcomeChart(history)}</div>
<div class="pair">${failoverTable(status)}${moduleTable(status)}</div>
</main>
<footer><span class="version">reveille ${escaped(version)}</span><a href="status.json">as JSON</a></footer>
<script>${SCRIPT}</script>
</html>
`;
}
