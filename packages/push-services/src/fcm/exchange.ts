import { type Clock, type Millis } from "@reveille/wakeup";

import { type OpenWire, type WireResult } from "../http2/wire.ts";

/** A POST of its own. */
export interface Exchange {
  readonly path: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** Sends one request over a connection of its own and closes it. Settles within `limit`; never rejects. */
export async function exchangeOnce(
  openWire: OpenWire,
  { path, headers, body }: Exchange,
  clock: Clock,
  limit: Millis,
): Promise<WireResult> {
  const { promise, resolve } = Promise.withResolvers<WireResult>();
  let isSent = false;
  const wire = openWire({
    settings: () => {
      if (isSent) return;
      isSent = true;
      wire.request({ path, headers: [], ownHeaders: headers, body, settle: resolve });
    },
    goaway: () => undefined,
    closed: (because) => resolve({ kind: "unanswered", because }),
  });
  const answered = new AbortController();
  void promise.then(() => answered.abort());
  await clock.sleep(limit, answered.signal);
  // Without an answer this gives one.
  wire.destroy(answered.signal.aborted ? "done" : `no answer within ${limit / 1_000} s`);
  return promise;
}
