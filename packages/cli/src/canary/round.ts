import { type PublishAnswer, tryPublishes } from "@reveille/ingress";
import { type CanaryEvent, type Clock } from "@reveille/wakeup";

import { type Watchable } from "./delivery.ts";
import { judge } from "./judge.ts";
import { type CanaryPlan } from "./plan.ts";

export interface RoundTools {
  readonly clock: Clock;
  readonly watchable: Watchable | undefined;
  /** Gives the round up. */
  readonly signal: AbortSignal;
}

/** What stands for a device token and is none: a region says so at once, and asks nobody about it. */
const NO_DEVICE = "reveille-canary";

/** Publishes once to every hostname; one event for each. */
export async function runRound(plan: CanaryPlan, tools: RoundTools): Promise<readonly CanaryEvent[]> {
  const { component, hostnames, module, token = NO_DEVICE, replyWithin } = plan;
  const { clock, watchable, signal } = tools;
  await using watch = await watchable?.open();
  const given = new AbortController();
  const delivered = watch?.settled(plan.deliveryWithin, AbortSignal.any([given.signal, signal]));
  let sentAt = clock.monotonic();
  const answers = await tryPublishes(
    {
      component,
      publishes: hostnames.map((to) => ({ to, node: token, module })),
      within: replyWithin,
      onSent: () => void (sentAt = clock.monotonic()),
      signal,
    },
    clock,
  );
  const watched = hostnames.findIndex((name) => name === watchable?.hostname);
  if (!isDue(answers[watched])) given.abort();
  const delivery = await delivered;
  return answers.flatMap((answer, index) => {
    const hostname = hostnames[index];
    if (hostname === undefined) return [];
    return [judge({ hostname, answer, sentAt, delivery: index === watched ? delivery : undefined }, plan)];
  });
}

/** Whether a push is to follow. */
const isDue = (answer: PublishAnswer | undefined): boolean => answer?.kind === "accepted";
