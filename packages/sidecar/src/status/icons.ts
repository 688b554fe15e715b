/** Line drawings of the stations, 24 by 24, without colours of their own. */
const DRAWINGS = {
  front: "M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6z",
  ingress: "M4 12h10m-4-4 4 4-4 4M13 4h6v16h-6",
  queue: "M4 7h16M4 12h16M4 17h16",
  worker: "M13 3 6 13h5l-1 8 8-11h-6z",
  APNs: "M12 4a5 5 0 0 1 5 5c0 5 2 6 2 7H5c0-1 2-2 2-7a5 5 0 0 1 5-5zm-2 15a2 2 0 0 0 4 0",
  good: "M5 13l5 5L20 7",
  doubtful: "M12 4v10m0 5v.1",
  bad: "M6 6l12 12M18 6 6 18",
} as const;

export type IconName = keyof typeof DRAWINGS;

/** For the eye only; what it means stands beside it. */
export const icon = (name: IconName): string =>
  `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="${DRAWINGS[name]}"/></svg>`;

const PLAIN = `xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"`;

const DISCS = { good: "#1f9d5b", doubtful: "#d98a12", bad: "#d3363d", unknown: "#8a93a0" } as const;

/** The icon of the browser's tab: a disc. */
export function tabIcon(mood: keyof typeof DISCS): string {
  const disc = `<circle cx="16" cy="16" r="13" fill="${DISCS[mood]}"/>`;
  return `data:image/svg+xml,${encodeURIComponent(`<svg ${PLAIN}>${disc}</svg>`)}`;
}
