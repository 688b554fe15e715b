import { readFileSync } from "node:fs";

import { Script } from "@reveille/wakeup";
import { type Redis } from "ioredis";

/** Name of the jobs in BullMQ; one letter, since it is stored with each. */
export const JOB_NAME = "b";

const ADD = new Script(readFileSync(new URL("add.lua", import.meta.url), "utf8"));

export interface NewJob {
  readonly id: string;
  readonly data: string;
  readonly now: number;
  /** It is taken before all that wait already. */
  readonly isFirst: boolean;
}

/** Adds a job to a queue whose keys `toKey` names, once however often it is called. Throws what Redis throws. */
export async function addJob(
  redis: Redis,
  toKey: (type: string) => string,
  { id, data, now, isFirst }: NewJob,
): Promise<void> {
  const keys = [toKey("wait"), toKey("meta"), toKey("marker")];
  await ADD.run(redis, keys, [toKey(""), id, JOB_NAME, now, data, isFirst ? 1 : 0]);
}
