import { askSentinel, primariesIn, type SentinelView } from "@reveille/queue";

import { commandLog } from "../role/region.ts";
import { redisSettingsOf } from "../role/redis-settings.ts";
import { about, type Finding } from "./finding.ts";
import { redisReplyCure } from "./redis-cure.ts";
import { networkCure } from "./network-cure.ts";
import { type Check } from "./doctor-context.ts";

/** Whether the Sentinels of the configuration can agree on a failover, and on where the primary is. */
export const checkSentinels: Check = async ({ config, clock, timeout }) => {
  if ("url" in config.redis) return [about("sentinels").skipped("the configuration names one Redis")];
  const settings = await redisSettingsOf(config, commandLog("error"));
  if ("url" in settings) return [];
  const views = await Promise.all(
    settings.sentinels.map(async (address) => ({
      name: `${address.host}:${address.port}`,
      view: await askSentinel(settings, address, { clock, within: timeout }),
    })),
  );
  return judgeSentinels(settings.name, views);
};

interface NamedView {
  readonly name: string;
  readonly view: SentinelView;
}

export function judgeSentinels(primary: string, views: readonly NamedView[]): readonly Finding[] {
  const watching = views.flatMap(({ view }) => (view.kind === "watching" ? [view] : []));
  const useless = views.flatMap(({ name, view }) =>
    view.kind === "useless"
      ? [
          about(`sentinel ${name}`).fail(
            view.because,
            cureOf(view.because, name) ?? `start it, and have it monitor ${primary} (sentinel monitor)`,
          ),
        ]
      : [],
  );
  return [...useless, judgeMajority(views.length, watching), judgeAgreement(watching)];
}

function cureOf(because: string, to: string): string | undefined {
  const [, kind = ""] = /\(([A-Z]+)\)$/.exec(because) ?? [];
  const server = {
    to,
    caSetting: "redis.sentinelTls.caFile",
    userSetting: "redis.sentinelUsername",
    passwordSetting: "redis.sentinelPasswordFile",
  };
  return redisReplyCure(kind, server) ?? networkCure(because, server);
}

type Watching = Extract<SentinelView, { kind: "watching" }>;

function judgeMajority(configured: number, watching: readonly Watching[]): Finding {
  const { ok, warn, fail } = about("sentinel majority");
  const known = Math.max(configured, ...watching.map(({ others }) => others + 1));
  const text = `${watching.length} of ${known} answer here`;
  if (watching.length <= known / 2 || !watching.some(({ canFailOver }) => canFailOver)) {
    return fail(
      `${text}: nobody can replace a primary that dies`,
      "bring the other Sentinels back: more than half of them must reach each other",
    );
  }
  if (known < 3) {
    return warn(
      `${text}: with fewer than three, one that dies takes the majority with it`,
      "add Sentinels: three in all",
    );
  }
  return ok(text);
}

function judgeAgreement(watching: readonly Watching[]): Finding {
  const { ok, fail, skipped } = about("sentinel agreement");
  const primaries = primariesIn(watching.map(({ primary }) => primary));
  if (primaries.length === 0) return skipped("no Sentinel to ask");
  const names = primaries.map((same) => [...new Set(same.map(({ address }) => address))].join(" = "));
  if (names.length === 1) return ok(`the primary is ${names.join()}`);
  return fail(
    `they name different primaries: ${names.join(", ")}`,
    "wait until a failover is over; if it stays so, the hosts cannot reach each other",
  );
}
