import {
  discardTrailing,
  type DiscardOptions,
  openRegionSecret,
  trailingStatus,
  type TrailingStatus,
} from "@reveille/admission";
import { openQueueControl, type QueueControl, type QueueCounts, type QueueStatus } from "@reveille/queue";
import { type Millis } from "@reveille/wakeup";

import { windowsOf } from "../role/admission-options.ts";
import { type OperatorOptions } from "../role/operator-options.ts";
import { confirm } from "../terminal/confirm.ts";
import { print } from "../terminal/print.ts";
import { inRegion, type RegionAccess } from "../role/region.ts";

/** Of `reveille queue discard`. */
export interface DiscardQueueOptions extends OperatorOptions {
  readonly yes: boolean;
}

type Action = "status" | "pause" | "resume";

/** `reveille queue …`: a look at the region's queue, or a hand on it. */
export async function runQueue(action: Action, options: OperatorOptions): Promise<void> {
  await inRegion(options, async (region) => {
    const { config, redis, regionClock } = region;
    await using queue = await openQueueControl({ redis, region: config.region, clock: regionClock });
    const { answer, text } = await ACTIONS[action](queue, region);
    print(answer, text, options);
  });
}

/** `reveille queue discard`. Throws if nobody has confirmed it; nothing has changed then. */
export async function discardQueue(options: DiscardQueueOptions): Promise<void> {
  await inRegion(options, async (region) => {
    const { config, redis, regionClock } = region;
    await using queue = await openQueueControl({ redis, region: config.region, clock: regionClock });
    const { waiting, retrying, delayed } = await queue.status();
    const due = await trailingStatus({ redis, region: config.region });
    const hits = `discarding throws ${waiting + retrying + delayed} batches (of up to 128 devices each) and ${due.waiting} trailing pushes away: those devices wake at their next message`;
    await confirm(hits, options.yes);
    // First, since workers move those that are due into the queue.
    const trailing = await discardTrailing(await trailingOf(region));
    const discarded = await queue.discard();
    const text = `${discarded} batches and ${trailing} trailing pushes thrown away`;
    print({ discarded, trailing }, text, options);
  });
}

interface Answer {
  readonly answer: object;
  readonly text: string;
}

const ACTIONS: Readonly<Record<Action, (queue: QueueControl, region: RegionAccess) => Promise<Answer>>> = {
  status: async (queue, { config, redis }) =>
    statusAnswer(await queue.status(), await trailingStatus({ redis, region: config.region })),
  pause: async (queue) => {
    await queue.pause();
    return {
      answer: { paused: true },
      text: "paused: workers take no new batch until `reveille queue resume`",
    };
  },
  resume: async (queue) => {
    await queue.resume();
    return { answer: { paused: false }, text: "resumed" };
  },
};

const trailingOf = async ({ config, redis }: RegionAccess): Promise<DiscardOptions> => ({
  redis,
  region: config.region,
  secret: await openRegionSecret(redis, config.region),
  windowOf: windowsOf(config),
});

function statusAnswer(status: QueueStatus, trailing: TrailingStatus): Answer {
  const { oldestWaiting, oldest, ...counts } = status;
  const { waiting, overdue, nextDueIn, oldestDue } = trailing;
  const due = { ...(nextDueIn === undefined ? {} : { nextDueInMs: nextDueIn }), oldestDueMs: oldestDue };
  return {
    answer: {
      ...counts,
      oldestWaitingMs: oldestWaiting,
      oldestMs: oldest,
      trailing: { waiting, overdue, ...due },
    },
    text: [describe(status), ...trailingRows(trailing)].join("\n"),
  };
}

const describe = ({ paused, ...counts }: QueueStatus): string =>
  [`queue      ${paused ? "paused" : "open"}`, ...rowsOf(counts)].join("\n");

const rowsOf = ({ waiting, retrying, delayed, active, oldestWaiting }: QueueCounts): readonly string[] => [
  `waiting    ${waiting} batches, the oldest for ${inSeconds(oldestWaiting)}`,
  `in hand    ${active}`,
  `to retry   ${retrying} now, ${delayed} later`,
];

/** Trailing pushes are no batches yet: workers move them into the queue when they are due, also while it is paused. */
function trailingRows({ waiting, overdue, nextDueIn, oldestDue }: TrailingStatus): readonly string[] {
  if (nextDueIn === undefined) return ["trailing   0 pushes"];
  const next = nextDueIn === 0 ? "the next due now" : `the next due in ${inSeconds(nextDueIn)}`;
  const row = `trailing   ${waiting} pushes, ${next}`;
  if (overdue === 0) return [row];
  return [
    row,
    `overdue    ${overdue} of them, the oldest for ${inSeconds(oldestDue)}: does a worker run that reaches Redis?`,
  ];
}

const inSeconds = (duration: Millis): string => `${(duration / 1_000).toFixed(1)} s`;
