import { type RedisEvent } from "../by-stage.ts";
import { type EventLog } from "./event-log.ts";

/** Records of trouble with Redis, in any role. */
export const logRedis =
  ({ logger, sparingly }: EventLog) =>
  (event: RedisEvent): void => {
    switch (event.kind) {
      case "redis-trouble": {
        const { kind, connection, because } = event;
        sparingly(`${kind} ${connection}`, (held) =>
          logger.warn({ event: kind, connection, because, held }, "redis is in trouble"),
        );
        return;
      }
      case "redis-room-changed": {
        const { kind, full, share } = event;
        if (full) logger.error({ event: kind, share }, "redis is nearly full, new wakeups are refused");
        else logger.info({ event: kind, share }, "redis has room again");
        return;
      }
      case "redis-durability-changed": {
        const { kind, because } = event;
        if (because === undefined) logger.info({ event: kind }, "redis keeps what is accepted");
        else logger.warn({ event: kind, because }, "redis may lose accepted wakeups when it is killed");
        return;
      }
      case "redis-data-lost": {
        const { kind, secret } = event;
        logger.error({ event: kind, secret }, "redis has lost its data, and accepted wakeups with it");
        return;
      }
      case "redis-packs-loosely": {
        const { kind, limit } = event;
        logger.warn(
          { event: kind, limit },
          "redis packs batches loosely, which takes up to half as much memory again; set hash-max-listpack-value 8192",
        );
        return;
      }
      case "append-only-file-rewrite":
        return rewriteRecord(event, { logger, sparingly });
      case "replicas-missing": {
        const { kind, wanted, replicas } = event;
        sparingly(kind, (held) =>
          logger.warn({ event: kind, wanted, replicas, held }, "accepted wakeups are in too few replicas"),
        );
        return;
      }
      case "clock-compared": {
        const { kind, ahead, isWrong, hasChanged } = event;
        if (!hasChanged) return;
        if (isWrong)
          logger.error(
            { event: kind, ahead },
            "this host's clock differs from that of Redis; set both by NTP",
          );
        else logger.info({ event: kind, ahead }, "this host's clock agrees with that of Redis again");
        return;
      }
      case "redis-recovered":
        logger.info({ event: event.kind, connection: event.connection }, "redis has recovered");
        return;
    }
  };

/** Until its append-only file is rewritten, tokens of wakeups that are done are in it. */
function rewriteRecord(
  event: Extract<RedisEvent, { kind: "append-only-file-rewrite" }>,
  { logger, sparingly }: Pick<EventLog, "logger" | "sparingly">,
): void {
  const { kind, part, outcome, because } = event;
  sparingly(`${kind} ${part} ${outcome}`, (held) => {
    const fields = { event: kind, part, because, held };
    switch (outcome) {
      case "started":
        return;
      case "refused":
        return logger.warn(
          fields,
          "redis refuses to rewrite its append-only file: allow the user bgrewriteaof",
        );
      case "failed":
        return logger.warn(fields, "redis failed to rewrite its append-only file: see its log and its disk");
      case "unreachable":
        return logger.warn(fields, "a replica cannot be told to rewrite its append-only file");
    }
  });
}
