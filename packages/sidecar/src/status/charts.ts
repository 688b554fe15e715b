import { type Point } from "./history.ts";
import { perSecond, spoken, utcTime } from "./html.ts";
import { type HistoryStatus } from "./status.ts";

const WIDTH = 600;
const HEIGHT = 150;
/** The width is an hour; the newest point stands at the right edge. */
const HOUR_SECONDS = 3_600;

/** Outcomes from the bottom of the stack to its top; the class names their colour. */
const OUTCOMES = ["delivered", "token-dead", "throttled", "unreachable", "rejected"] as const;

/** Latencies lie between milliseconds and the length of a window: a scale by powers of ten shows all of them. */
const FASTEST = 0.001;
const POWERS = ["1 ms", "10 ms", "100 ms", "1 s", "10 s", "100 s"] as const;
const DECADES = POWERS.length - 1;

interface Tick {
  /** 0 at the bottom, 1 at the top. */
  readonly at: number;
  readonly text: string;
}

interface Key {
  readonly name: string;
  readonly meaning: string;
  readonly now: string;
}

/** A point with its place on the axis of time. */
interface Slot {
  readonly point: Point;
  readonly left: number;
  readonly right: number;
}

/** By the lengths of the points, so that one for a long time is as wide as that time. */
function slotsOf(points: readonly Point[]): readonly Slot[] {
  let ago = 0;
  const x = (): number => round(Math.max(0, 1 - ago / HOUR_SECONDS) * WIDTH);
  return points
    .toReversed()
    .map((point) => {
      const right = x();
      ago += point.seconds;
      return { point, left: x(), right };
    })
    .toReversed();
}

const y = (share: number): number => HEIGHT - Math.min(1, Math.max(0, share)) * HEIGHT;
const onScale = (latency: number): number => Math.log10(latency / FASTEST) / DECADES;

/** Latency of the last hour: median and 99th percentile. */
export function latencyChart(history: HistoryStatus): string {
  const slots = slotsOf(history.points);
  const latest = history.points.at(-1);
  const now = (value: number | null | undefined): string =>
    value === null || value === undefined ? "–" : spoken(value);
  return figure({
    title: "Latency",
    note: "from publish to acceptance by the push service",
    ticks: POWERS.map((text, power) => ({ at: power / DECADES, text })),
    drawing:
      line("p99", slots, ({ latencyP99 }) => latencyP99) + line("p50", slots, ({ latencyP50 }) => latencyP50),
    legend: [
      { name: "p50", meaning: "half are faster than", now: now(latest?.latencyP50) },
      { name: "p99", meaning: "99 of 100 are faster than", now: now(latest?.latencyP99) },
    ],
    since: history.since,
    slots,
  });
}

/** With a gap where nothing was delivered, not a fall to zero, and with a dot at the newest value. */
function line(name: string, slots: readonly Slot[], read: (point: Point) => number | null): string {
  const places = slots.map(({ point, left, right }) => {
    const value = read(point);
    if (value === null) return undefined;
    return `${round((left + right) / 2)} ${round(y(onScale(value)))}`;
  });
  const steps = places.map((place, index) => {
    if (place === undefined) return "";
    return places[index - 1] === undefined ? `M${place}h.1` : `L${place}`;
  });
  const newest = places.at(-1);
  const dot = newest === undefined ? "" : `<path class="${name} dot" d="M${newest}h.1"/>`;
  return `<path class="${name}" d="${steps.join("")}"/>${dot}`;
}

/** Answers of the push service over the last hour, stacked by outcome. */
export function outcomeChart(history: HistoryStatus): string {
  const slots = slotsOf(history.points);
  const top = niceTop(Math.max(0, ...history.points.map(totalOf)));
  const bars = slots.map(({ point, left, right }) => {
    let floor = HEIGHT;
    return OUTCOMES.map((outcome) => {
      const height = ((point.outcomesPerSecond[outcome] ?? 0) / top) * HEIGHT;
      if (height === 0) return "";
      floor -= height;
      const place = `x="${left}" y="${round(floor)}" width="${round(right - left)}"`;
      return `<rect class="${outcome}" ${place} height="${round(height)}"/>`;
    }).join("");
  });
  const latest = history.points.at(-1)?.outcomesPerSecond;
  const key = (name: (typeof OUTCOMES)[number], meaning: string): Key => ({
    name,
    meaning,
    now: latest === undefined ? "–" : perSecond(latest[name] ?? 0),
  });
  return figure({
    title: "Answers of the push service",
    note: "by what became of the push",
    ticks: [0, 0.5, 1].map((at) => ({ at, text: perSecond(top * at) })),
    drawing: bars.join(""),
    legend: [
      key("delivered", "delivered"),
      key("token-dead", "device gone"),
      key("throttled", "throttled"),
      key("unreachable", "unreachable"),
      key("rejected", "rejected"),
    ],
    since: history.since,
    slots,
  });
}

const totalOf = ({ outcomesPerSecond }: Point): number =>
  Object.values(outcomesPerSecond).reduce((a, b) => a + b, 0);

interface Chart {
  readonly title: string;
  readonly note: string;
  readonly ticks: readonly Tick[];
  readonly drawing: string;
  readonly legend: readonly Key[];
  readonly since: HistoryStatus["since"];
  readonly slots: readonly Slot[];
}

function figure({ title, note, ticks, drawing, legend, since, slots }: Chart): string {
  const grid = ticks.map(({ at }) => `M0 ${round(y(at))}H${WIDTH}`).join("");
  // Text in a picture that is stretched would be stretched, too.
  const scale = ticks.map(({ text }) => `<span>${text}</span>`);
  const keys = legend.map(({ name, meaning, now }) => `<li class="${name}">${meaning} <b>${now}</b></li>`);
  // What is not known must not look like nothing.
  const unknown = slots[0]?.left ?? WIDTH;
  const before = unknown === 0 ? "" : `<rect class="before" width="${unknown}" height="${HEIGHT}"/>`;
  if (unknown > 0 && since !== null) {
    keys.push(`<li class="before">no figures before ${utcTime(since)}, when this sidecar started</li>`);
  }
  return `<figure><figcaption>${title} <small>${note}</small></figcaption>
<div class="plot"><div class="scale">${scale.toReversed().join("")}</div>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${title} ${note}"><path class="grid" d="${grid}"/>${before}${drawing}</svg>${slots.length === 0 ? "<p><span>The first half minute is being measured.</span></p>" : ""}</div>
<div class="hour"><span>60 min ago</span><span>30 min ago</span><span>now</span></div>
<ul class="legend">${keys.join("")}</ul></figure>`;
}

/** The next round number that holds the greatest value; half of it is round, too. */
function niceTop(greatest: number): number {
  if (greatest <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(greatest));
  return ([1, 1.5, 2, 3, 4, 6, 8].find((step) => step * power >= greatest) ?? 10) * power;
}

const round = (value: number): number => Math.round(value * 10) / 10;
