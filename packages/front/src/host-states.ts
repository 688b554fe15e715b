import { get } from "node:http";

import { type Clock, seconds } from "@reveille/wakeup";

import { type HostStates } from "./availability.ts";
import { type ListenAddress } from "./listen.ts";

const WITHIN = seconds(2);

/**
 * Asks the sidecars of this host and the others, `GET /ready`. `isServed`: whether a component is connected; it decides for
 * this host while its sidecar does not answer, so that a sidecar's restart moves nobody.
 */
export function askSidecars(
  hosts: { readonly own: ListenAddress; readonly others: readonly ListenAddress[] },
  isServed: () => boolean,
  clock: Clock,
): HostStates {
  return {
    isOwnReady: async () => (await isReady(hosts.own, clock)) ?? isServed(),
    isAnotherReady: async () => {
      const answers = await Promise.all(hosts.others.map(async (other) => isReady(other, clock)));
      return answers.includes(true);
    },
  };
}

/** `undefined` if there is no answer. */
async function isReady(at: ListenAddress, clock: Clock): Promise<boolean | undefined> {
  const done = new AbortController();
  const answer = statusOf(at, done.signal).then((status) => status === OK);
  const late = clock.sleep(WITHIN, done.signal).then(() => undefined);
  try {
    return await Promise.race([answer, late]);
  } catch {
    return undefined;
  } finally {
    done.abort();
  }
}

const OK = 200;

async function statusOf({ host, port }: ListenAddress, signal: AbortSignal): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  get({ host, port, path: "/ready", signal, agent: false }, (response) => {
    response.resume();
    resolve(response.statusCode ?? 0);
  }).on("error", reject);
  return promise;
}
