import { randomBytes } from "node:crypto";

import { type Brand } from "@reveille/wakeup";

/** Name of a batch, unique in its region: `<node>-<boot>-<number>`. */
export type BatchId = Brand<string, "BatchId">;

// BullMQ refuses ids of digits only and gives a meaning to colons.
const isBatchId = (text: string): text is BatchId => /^[A-Za-z][A-Za-z0-9.-]*$/.test(text);

/** Numbers the batches of one process: `node` is its host, chance tells its starts apart. */
export function batchIds(node: string): () => BatchId {
  const boot = randomBytes(5).toString("hex");
  const name = node.replaceAll(/[^A-Za-z0-9.-]/g, "-").replace(/^(?![A-Za-z])/, "n");
  let last = 0;
  return () => {
    last += 1;
    const id = `${name}-${boot}-${last.toString(36)}`;
    if (isBatchId(id)) return id;
    throw new Error("a batch id is letters, digits, dots and dashes");
  };
}
