import { type EpochMillis, type Millis, millis } from "@reveille/wakeup";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const TIME = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)`;
const MONTH = "(?<month>[A-Z][a-z]{2})";

/** The three forms of a date in HTTP (RFC 9110 §5.6.7): IMF-fixdate, RFC 850, asctime. */
const FORMS = [
  new RegExp(String.raw`^[A-Z][a-z]{2}, (?<day>\d\d) ${MONTH} (?<year>\d{4}) ${TIME} GMT$`),
  new RegExp(String.raw`^[A-Z][a-z]{5,8}, (?<day>\d\d)-${MONTH}-(?<year>\d\d) ${TIME} GMT$`),
  new RegExp(String.raw`^[A-Z][a-z]{2} ${MONTH} (?<day>[ \d]\d) ${TIME} (?<year>\d{4})$`),
];

/** What is believed of a Retry-After; a date in the past is the least. */
export interface PauseBounds {
  readonly least: Millis;
  readonly most: Millis;
}

/** The pause that a Retry-After asks for (RFC 9110 §10.2.3: seconds or a date); `undefined` for what is neither. */
export function pauseOf(
  text: string | undefined,
  now: EpochMillis,
  { least, most }: PauseBounds,
): Millis | undefined {
  const asked = text === undefined ? undefined : askedBy(text.trim(), now);
  return asked === undefined ? undefined : millis(Math.min(most, Math.max(least, asked)));
}

function askedBy(text: string, now: EpochMillis): number | undefined {
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const parts = FORMS.map((form) => form.exec(text)?.groups).find((groups) => groups !== undefined);
  const at = parts === undefined ? undefined : timeOf(parts, now);
  return at === undefined ? undefined : at - now;
}

function timeOf(parts: Readonly<Record<string, string>>, now: EpochMillis): number | undefined {
  const month = MONTHS.indexOf(parts["month"] ?? "");
  const [day = 0, hour = 0, minute = 0, second = 0] = ["day", "hour", "minute", "second"].map((name) =>
    Number(parts[name]),
  );
  // 60 is a leap second.
  if (month === -1 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return undefined;
  const days = daysSince1970(fullYear(parts["year"] ?? "", now), month, day);
  return ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1_000;
}

const YEAR_MS = 365.2425 * 86_400_000;

/** A year of two digits that seems more than 50 years ahead is the last one with these digits (RFC 9110 §5.6.7). */
function fullYear(digits: string, now: EpochMillis): number {
  if (digits.length === 4) return Number(digits);
  const thisYear = 1970 + Math.floor(now / YEAR_MS);
  const year = thisYear - (thisYear % 100) + Number(digits);
  return year > thisYear + 50 ? year - 100 : year;
}

/** Of the Gregorian calendar; `month` from 0. */
function daysSince1970(year: number, month: number, day: number): number {
  // A year that begins in March has its leap day at the end.
  const y = month < 2 ? year - 1 : year;
  const sinceMarch = (month + 10) % 12;
  const leapDays = Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  return y * 365 + leapDays + Math.floor((sinceMarch * 153 + 2) / 5) + day - 1 - 719_468;
}
