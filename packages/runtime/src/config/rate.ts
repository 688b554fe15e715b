const SECONDS = { s: 1, m: 60, h: 3_600 } as const;
const SHAPE = /^(\d{1,9})\/(s|m|h)$/;

const isUnit = (text: string): text is keyof typeof SECONDS => text in SECONDS;

/** `100/s`, `30/m`, `5/h` as a number per second; `undefined` for anything else, and for nothing at all. */
export function parseRate(text: string): number | undefined {
  const [, amount, unit] = SHAPE.exec(text) ?? [];
  if (amount === undefined || unit === undefined || !isUnit(unit)) return undefined;
  const perSecond = Number(amount) / SECONDS[unit];
  return perSecond > 0 ? perSecond : undefined;
}

/** The text in whole numbers that `parseRate` reads back as the same rate. */
export function formatRate(perSecond: number): string {
  const fits = ([, length]: readonly [string, number]): boolean =>
    Math.round(perSecond * length) / length === perSecond;
  const [unit, length] = Object.entries(SECONDS).find(fits) ?? ["h", SECONDS.h];
  return `${Math.round(perSecond * length)}/${unit}`;
}
