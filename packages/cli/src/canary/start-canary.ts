import {
  type CanaryEvent,
  type Clock,
  type Health,
  type Millis,
  millis,
  type Observe,
  type PartHealth,
} from "@reveille/wakeup";

export interface CanaryWork {
  /** One round; `signal` ends it early. */
  readonly round: (signal: AbortSignal) => Promise<readonly CanaryEvent[]>;
  /** From the beginning of a round to that of the next, or to its end if it takes longer. */
  readonly every: Millis;
  readonly clock: Clock;
  readonly observe: Observe;
  /** A round threw: something is wrong with us. */
  readonly fail: (error: Error) => void;
}

/** A canary at work; disposing ends the round under way and tells nothing of it. */
export interface Canary extends AsyncDisposable {
  readonly health: () => readonly PartHealth[];
}

/** Begins with a round at once. */
export function startCanary({ round, every, clock, observe, fail }: CanaryWork): Canary {
  const stop = new AbortController();
  let health: Health = { kind: "starting" };
  const goOn = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const began = clock.monotonic();
      const events = await round(stop.signal);
      if (stop.signal.aborted) return;
      for (const event of events) observe(event);
      health = healthOf(events);
      await clock.sleep(millis(Math.max(0, began + every - clock.monotonic())), stop.signal);
    }
  };
  const going = goOn().catch((cause: unknown) => fail(new Error("a round of the canary broke", { cause })));
  return {
    health: () => [{ part: "canary", health: stop.signal.aborted ? { kind: "draining" } : health }],
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await going;
    },
  };
}

function healthOf(events: readonly CanaryEvent[]): Health {
  const troubles = events.flatMap(({ hostname, because }) =>
    because === undefined ? [] : [`${hostname}: ${because}`],
  );
  return troubles.length === 0 ? { kind: "ready" } : { kind: "failing", because: troubles.join("; ") };
}
