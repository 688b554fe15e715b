import { REDIS_KEY_KINDS } from "@reveille/wakeup";

import { type OperatorOptions } from "../role/operator-options.ts";
import { print } from "../terminal/print.ts";
import { keptData, type KeptData } from "../privacy/kept-data.ts";
import { keyCensus, type KeyCensus, type KindCount } from "../privacy/key-census.ts";
import { inRegion } from "../role/region.ts";

/** `reveille privacy report`. Exit code 1 if a key stands in Redis that should not, or would for ever. */
export async function runPrivacyReport(options: OperatorOptions): Promise<void> {
  await inRegion(options, async ({ config, redis }) => {
    const kept = keptData(config);
    const census = await keyCensus(redis, config.region);
    const { kinds, ...counts } = census;
    const keys = kinds.map((one) => ({ ...one, ...REDIS_KEY_KINDS[one.kind] }));
    print({ region: config.region, kept, keys, ...counts }, textOf(config.region, kept, census), options);
    if (counts.unknown + counts.unending > 0) process.exitCode = 1;
  });
}

const textOf = (region: string, kept: readonly KeptData[], census: KeyCensus): string =>
  [
    `What region ${region} keeps, by this host's configuration`,
    "",
    ...kept.flatMap(({ what, where, kept }) => [what, `    ${where}: ${kept}`]),
    "",
    `Keys in Redis now${census.isSample ? ", a sample" : ""}`,
    "",
    ...census.kinds.map((one) => keyLine(region, one)),
    ...verdictLines(census),
  ].join("\n");

function keyLine(region: string, { kind, keys, endless, longestMs }: KindCount): string {
  const { pattern, holds } = REDIS_KEY_KINDS[kind];
  const life = endless === 0 ? `expires within ${Math.ceil(longestMs / 1_000)}s` : "kept";
  const name = `{${region}}${pattern}`.padEnd(18 + region.length);
  return `${name} ${String(keys).padStart(7)}  ${life}: ${holds}`;
}

const verdictLines = ({ unknown, unending }: KeyCensus): readonly string[] =>
  unknown + unending === 0
    ? ["", "Every key is of a known kind, and all that should expire do."]
    : [
        "",
        ...(unknown === 0
          ? []
          : [`${unknown} keys that no version of ours makes: see who else uses this Redis`]),
        ...(unending === 0 ? [] : [`${unending} keys that should expire and don't: please report this`]),
      ];
