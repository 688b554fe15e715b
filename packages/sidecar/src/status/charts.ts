import { type Point } from "./history.ts";
import { perSecond, spoken } from "./html.ts";

const WIDTH = 600;
const HEIGHT = 150;
/** Points of a full hour; the newest stands at the right edge. */
const SLOTS = 120;

/** Outcomes from the bottom of the stack to its top; the class names their colour. */
const OUTCOMES = ["delivered", "token-dead", "throttled", "unreachable", "rejected"] as const;

const x = (index: number, points: readonly Point[]): number =>
  ((SLOTS - points.length + index) * WIDTH) / SLOTS;

/** Latency of the last hour: median and 99th percentile. */
export function latencyChart(points: readonly Point[]): string {
  const top = niceTop(Math.max(0, ...points.flatMap(({ latencyP99 }) => latencyP99 ?? [])));
  const line = (name: string, read: (point: Point) => number | null): string => {
    // A gap where nothing was delivered, not a fall to zero.
    const steps = points.map((point, index) => {
      const value = read(point);
      if (value === null) return "";
      const before = points[index - 1];
      const pen = before === undefined || read(before) === null ? "M" : "L";
      return `${pen}${round(x(index, points) + WIDTH / SLOTS / 2)} ${round(HEIGHT - (value / top) * HEIGHT)}`;
    });
    return `<path class="${name}" d="${steps.join("")}"/>`;
  };
  const lines = line("p99", ({ latencyP99 }) => latencyP99) + line("p50", ({ latencyP50 }) => latencyP50);
  return figure("Latency, publish to acceptance", spoken(top), lines, [
    ["p50", "half are faster"],
    ["p99", "99 of 100 are faster"],
  ]);
}

/** Answers of the push service over the last hour, stacked by outcome. */
export function outcomeChart(points: readonly Point[]): string {
  const sum = ({ outcomesPerSecond }: Point): number =>
    Object.values(outcomesPerSecond).reduce((a, b) => a + b, 0);
  const top = niceTop(Math.max(0, ...points.map(sum)));
  const bars = points.map((point, index) => {
    let floor = HEIGHT;
    return OUTCOMES.map((outcome) => {
      const height = ((point.outcomesPerSecond[outcome] ?? 0) / top) * HEIGHT;
      if (height === 0) return "";
      floor -= height;
      const place = `x="${round(x(index, points))}" y="${round(floor)}"`;
      return `<rect class="${outcome}" ${place} width="${WIDTH / SLOTS - 0.5}" height="${round(height)}"/>`;
    }).join("");
  });
  return figure("Answers of the push service", perSecond(top), bars.join(""), [
    ["delivered", "delivered"],
    ["token-dead", "device gone"],
    ["throttled", "throttled"],
    ["unreachable", "unreachable"],
    ["rejected", "rejected"],
  ]);
}

function figure(
  title: string,
  top: string,
  drawing: string,
  legend: readonly (readonly [name: string, meaning: string])[],
): string {
  const keys = legend.map(([name, meaning]) => `<li class="${name}">${meaning}</li>`).join("");
  return `<figure><figcaption>${title} <small>last hour, up to ${top}</small></figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${title}">
<path class="grid" d="M0 .5H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT - 0.5}H${WIDTH}"/>${drawing}</svg>
<ul class="legend">${keys}</ul></figure>`;
}

/** The next of 1, 2, 5, 10, … that holds the greatest value. */
function niceTop(greatest: number): number {
  if (greatest <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(greatest));
  return ([1, 2, 5].find((step) => step * power >= greatest) ?? 10) * power;
}

const round = (value: number): number => Math.round(value * 10) / 10;
