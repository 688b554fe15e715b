import {
  type ClearSender,
  clearSendersSeen,
  type DomainLimit,
  type DomainPattern,
  type DomainRule,
  domainRules,
  openRegionCounts,
  openRegionSecret,
  parseDomainPattern,
  type RuledDomain,
} from "@reveille/admission";
import { formatRate, parseRate } from "@reveille/runtime";

import { limitOf as limitOfConfig } from "../role/admission-options.ts";
import { type OperatorOptions } from "../role/operator-options.ts";
import { confirm } from "../terminal/confirm.ts";
import { print } from "../terminal/print.ts";
import { inRegion, type RegionAccess } from "../role/region.ts";
import { timeText } from "../terminal/time-text.ts";
import { UsageError } from "../terminal/usage-error.ts";

/** Of `reveille domain limit`. */
export interface LimitOptions extends OperatorOptions {
  readonly rate: string;
  readonly burst?: string;
}

/** Of `reveille domain block`. */
export interface BlockDomainOptions extends OperatorOptions {
  readonly yes: boolean;
}

/** `reveille domain list`. */
export async function listDomains(options: OperatorOptions): Promise<void> {
  await inRegion(options, async ({ config, redis }) => {
    const access = { redis, region: config.region };
    const [rules, clear] = await Promise.all([domainRules(access).list(), clearSendersSeen(access)]);
    const defaultLimit = limitOfConfig(config.ingress.domainLimit);
    print(listAnswer(rules, clear, defaultLimit), listText(rules, clear, defaultLimit), options);
  });
}

/** `reveille domain limit`. Throws if the domain or the limit is none. */
export async function limitDomain(name: string, options: LimitOptions): Promise<void> {
  await setRule(name, { kind: "limited", limit: limitOf(options) }, options);
}

/** `reveille domain block`. Throws if the domain is none, or nobody has confirmed it; nothing has changed then. */
export async function blockDomain(name: string, options: BlockDomainOptions): Promise<void> {
  const pattern = patternOf(name);
  await inRegion(options, async (region) => {
    await confirm(await blockHits(pattern, region), options.yes);
    const rule = { kind: "blocked" } as const;
    await domainRules({ redis: region.redis, region: region.config.region }).set(pattern, rule);
    print(ruleAnswer({ pattern, rule }), `${pattern} is blocked`, options);
  });
}

/** The region stores no name of a domain and no domain of a device, so it has only counts, and those by the whole name. */
async function blockHits(pattern: DomainPattern, { config, redis }: RegionAccess): Promise<string> {
  const { region } = config;
  if (pattern.startsWith("*.")) {
    return `blocking ${pattern} ends the registrations of all devices of every domain below ${pattern.slice(2)}: how many is unknown, since the region stores no names of domains`;
  }
  const book = openRegionCounts({ redis, region, secret: await openRegionSecret(redis, region) });
  const record = await book.of(pattern);
  const ends = `blocking ${pattern} ends the registrations of all devices of this domain and of every domain below it`;
  if (record === "no-room") return `${ends}: how many is unknown, since too many domains publish`;
  const publishes = (["queued", "later", "merged"] as const)
    .map((what) => record.count(what))
    .reduce((sum, count) => sum + count, 0);
  return `${ends}: ${pattern} itself has published for at most ${publishes} since ${timeText(record.since)}; those below it are not counted, since the region stores no names of domains`;
}

/** `reveille domain allow` or `reset`. Throws if the domain is none. */
export async function changeDomain(
  action: "allow" | "reset",
  name: string,
  options: OperatorOptions,
): Promise<void> {
  switch (action) {
    case "allow":
      return setRule(name, { kind: "allowed" }, options);
    case "reset":
      return resetRule(name, options);
  }
}

async function setRule(name: string, rule: DomainRule, options: OperatorOptions): Promise<void> {
  const pattern = patternOf(name);
  await inRegion(options, async ({ config, redis }) => {
    await domainRules({ redis, region: config.region }).set(pattern, rule);
    print(ruleAnswer({ pattern, rule }), `${pattern} is ${describeRule(rule)}`, options);
  });
}

async function resetRule(name: string, options: OperatorOptions): Promise<void> {
  const pattern = patternOf(name);
  await inRegion(options, async ({ config, redis }) => {
    const removed = await domainRules({ redis, region: config.region }).remove(pattern);
    const text = removed ? `${pattern} has no rule any more` : `there was no rule for ${pattern}`;
    print({ domain: pattern, removed }, text, options);
  });
}

function patternOf(name: string): DomainPattern {
  const pattern = parseDomainPattern(name);
  if (pattern !== undefined) return pattern;
  throw new UsageError(`not a domain: ${JSON.stringify(name)}; for example: example.org or '*.example.org'`);
}

const BURST_SECONDS = 10;
const MOST_BURST = 1_000_000;

function limitOf({ rate, burst }: LimitOptions): DomainLimit {
  const perSecond = parseRate(rate);
  if (perSecond === undefined) {
    throw new UsageError(
      `not a rate: ${JSON.stringify(rate)}; a whole number per s, m or h, for example: --rate 50/s`,
    );
  }
  if (burst === undefined) {
    const ofTenSeconds = Math.round(perSecond * BURST_SECONDS);
    return { perSecond, burst: Math.min(Math.max(1, ofTenSeconds), MOST_BURST) };
  }
  const tokens = Number(burst);
  if (Number.isInteger(tokens) && tokens >= 1 && tokens <= MOST_BURST) return { perSecond, burst: tokens };
  throw new UsageError(
    `not a burst: ${JSON.stringify(burst)}; a whole number from 1 to ${MOST_BURST}, for example: --burst 500`,
  );
}

const limitAnswer = ({ perSecond, burst }: DomainLimit) => ({ rate: formatRate(perSecond), burst });

const ruleAnswer = ({ pattern, rule }: RuledDomain) => ({
  domain: pattern,
  rule: rule.kind,
  ...(rule.kind === "limited" ? limitAnswer(rule.limit) : {}),
});

const listAnswer = (
  rules: readonly RuledDomain[],
  clear: readonly ClearSender[],
  defaultLimit: DomainLimit,
) => ({
  defaultLimit: limitAnswer(defaultLimit),
  rules: rules.map(ruleAnswer),
  sendContentInClear: clear.map(({ domain, software, lastSeen }) => ({
    domain,
    software,
    lastSeen,
  })),
});

const describeLimit = ({ perSecond, burst }: DomainLimit): string =>
  `limited to ${formatRate(perSecond)}, ${burst} at once`;

const describeRule = (rule: DomainRule): string =>
  rule.kind === "limited" ? describeLimit(rule.limit) : rule.kind;

function listText(
  rules: readonly RuledDomain[],
  clear: readonly ClearSender[],
  defaultLimit: DomainLimit,
): string {
  return [
    `every other domain is ${describeLimit(defaultLimit)}`,
    ...rules.map(({ pattern, rule }) => `${pattern} is ${describeRule(rule)}`),
    "",
    clear.length === 0
      ? "no domain has sent content in clear of late"
      : "sent content in clear (dropped unread):",
    ...clear.map(
      ({ domain, software, lastSeen }) => `  ${domain} (looks like ${software}), last ${timeText(lastSeen)}`,
    ),
  ].join("\n");
}
