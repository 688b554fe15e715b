/** What ioredis says when a connection is lost, closed, or silent for too long. */
const CONNECTION = /max retries per request|isn't writeable|connection is closed|timed? ?out|socket/i;
const NETWORK = /^(?:ECONN|EPIPE|EHOST|ENET|ETIMEDOUT|ENOENT|EAI_)/;
/** A Redis that is starting, or that a failover has just made a replica. */
const IN_BETWEEN = /^(?:LOADING|MASTERDOWN|READONLY|UNBLOCKED|BUSY|TRYAGAIN)\b/;

/** Does an error of a call to Redis say that Redis is away for now? If not, to try again is of no use. */
export function isRedisAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === "ReplyError") return IN_BETWEEN.test(error.message);
  if ("code" in error && typeof error.code === "string" && NETWORK.test(error.code)) return true;
  return CONNECTION.test(error.message);
}
