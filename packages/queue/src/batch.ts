import {
  epochMillis,
  isPushModule,
  packToken,
  type PushModule,
  unpackToken,
  type Wakeup,
} from "@reveille/wakeup";

/** A wakeup on its way through the queue. */
export interface QueuedWakeup {
  readonly wakeup: Wakeup;
  /** 1 for the first attempt, one more after each `retry` that followed one. */
  readonly attempt: number;
  /** A worker that died may have sent it already. */
  readonly again: boolean;
  /** It was put in front of older ones, so its module has a backlog though it is fresh. */
  readonly overtakes: boolean;
}

/** Most wakeups in one job: what a crash can repeat. */
export const MOST_PER_BATCH = 128;

/**
 * Body of a job. Columns instead of objects: 55 to 60 bytes per wakeup in Redis, and half the time of objects to
 * write and to read.
 */
interface BatchBody {
  readonly v: 1;
  /** The modules that occur. */
  readonly m: readonly string[];
  /** Packed tokens, joined by commas. */
  readonly t: string;
  /** Two per wakeup: module index × 2 + urgent; time received less `b`. */
  readonly w: readonly number[];
  readonly b: number;
  /** Attempt of each wakeup; absent while all are at their first. */
  readonly n?: readonly number[];
  /** Positions of the wakeups to devices that never had a push; absent if there are none. */
  readonly u?: readonly number[];
  /** 1 if the batch was put in front of older ones; otherwise absent. */
  readonly f?: 1;
}

export function encodeBatch(
  queued: readonly Pick<QueuedWakeup, "wakeup" | "attempt">[],
  { overtakes = false } = {},
): BatchBody {
  const modules = new Map<PushModule, number>();
  const b = queued.reduce((least, { wakeup }) => Math.min(least, wakeup.receivedAt), Infinity);
  const tokens: string[] = [];
  const w: number[] = [];
  for (const { wakeup } of queued) {
    const index = modules.get(wakeup.module) ?? modules.size;
    modules.set(wakeup.module, index);
    tokens.push(packToken(wakeup.token));
    w.push(index * 2 + (wakeup.urgent ? 1 : 0), wakeup.receivedAt - b);
  }
  const columns = { v: 1, m: [...modules.keys()], t: tokens.join(","), w, b } as const;
  const unproven = queued.flatMap(({ wakeup }, index) => (wakeup.unproven === true ? [index] : []));
  const body = {
    ...columns,
    ...(unproven.length > 0 ? { u: unproven } : {}),
    ...(overtakes ? ({ f: 1 } as const) : {}),
  };
  if (queued.every(({ attempt }) => attempt === 1)) return body;
  return { ...body, n: queued.map(({ attempt }) => attempt) };
}

/** What the body of a job says. */
export type BatchReading =
  /** `broken`: how many more entries there are that nobody can read. */
  | { readonly kind: "wakeups"; readonly queued: readonly QueuedWakeup[]; readonly broken: number }
  /** A newer version of ours wrote it, and can read it. */
  | { readonly kind: "newer" }
  | { readonly kind: "broken" };

/** Any value gives a reading, never an exception. An entry that makes no sense does not take its neighbours along. */
export function decodeBatch(data: unknown, again = false): BatchReading {
  if (isNewer(data)) return { kind: "newer" };
  if (!isBatchBody(data)) return { kind: "broken" };
  const tokens = data.t.split(",");
  if (data.w.length !== 2 * tokens.length || (data.n ?? tokens).length !== tokens.length) {
    return { kind: "broken" };
  }
  const queued: QueuedWakeup[] = [];
  const unproven = new Set(data.u);
  for (const [index, text] of tokens.entries()) {
    const flags = data.w[2 * index] ?? -1;
    const receivedAt = data.b + (data.w[2 * index + 1] ?? Number.NaN);
    const token = unpackToken(text);
    const module = data.m[flags >> 1];
    if (token === undefined || module === undefined || !isPushModule(module) || !isTime(receivedAt)) continue;
    const known = { token, module, urgent: flags % 2 === 1, receivedAt: epochMillis(receivedAt) };
    const wakeup: Wakeup = unproven.has(index) ? { ...known, unproven: true } : known;
    queued.push({ wakeup, attempt: data.n?.[index] ?? 1, again, overtakes: data.f === 1 });
  }
  return { kind: "wakeups", queued, broken: tokens.length - queued.length };
}

const VERSION = 1;

const isNewer = (data: unknown): boolean =>
  typeof data === "object" && data !== null && "v" in data && typeof data.v === "number" && data.v > VERSION;

const isTime = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

const isNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((item) => typeof item === "number");

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");

function isBatchBody(data: unknown): data is BatchBody {
  if (typeof data !== "object" || data === null) return false;
  const { v, m, t, w, b, n, u }: Partial<Record<keyof BatchBody, unknown>> = data;
  if (v !== VERSION || typeof t !== "string" || typeof b !== "number") return false;
  return isTexts(m) && isNumbers(w) && [n, u].every((column) => column === undefined || isNumbers(column));
}
