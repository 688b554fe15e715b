const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text for an element or a quoted attribute. */
export const escaped = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (letter) => ENTITIES[letter] ?? "");

/** `0.04` → `40 ms`, `7.5` → `7.5 s`, `90` → `1.5 min`, `7200` → `2 h`. */
export function spoken(seconds: number): string {
  if (seconds < 1) return `${Number((seconds * 1_000).toPrecision(2))} ms`;
  if (seconds < 60) return `${Number(seconds.toPrecision(2))} s`;
  if (seconds < 3_600) return `${Number((seconds / 60).toPrecision(2))} min`;
  return `${Number((seconds / 3_600).toPrecision(2))} h`;
}

/** Epoch milliseconds as `2026-01-01 00:00:00`. */
export const utc = (at: number): string =>
  new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium", timeZone: "UTC" }).format(at);

/** Epoch milliseconds as `00:00 UTC`, for what was less than a day ago. */
export const utcTime = (at: number): string => `${utc(at).slice(11, 16)} UTC`;

/** `1284` → `1,284`. */
export const counted = (count: number): string => count.toLocaleString("en");

/** `0.02` → `0.02/s`, `1234.5` → `1,230/s`. */
export const perSecond = (rate: number): string =>
  `${Number(rate.toPrecision(3)).toLocaleString("en", { maximumFractionDigits: 2 })}/s`;
