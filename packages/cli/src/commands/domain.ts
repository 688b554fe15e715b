import {
  type ClearSender,
  clearSendersSeen,
  type DomainLimit,
  type DomainPattern,
  type DomainRule,
  domainRules,
  parseDomainPattern,
  type RuledDomain,
} from "@reveille/admission";
import { formatRate, parseRate } from "@reveille/runtime";

import { limitOf as limitOfConfig } from "../admission-options.ts";
import { type LimitOptions } from "../command-line/domain.ts";
import { type OperatorOptions } from "../command-line/operator-options.ts";
import { print } from "../print.ts";
import { inRegion } from "../region.ts";
import { timeText } from "../time-text.ts";

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

/** `reveille domain block`, `allow` or `reset`. Throws if the domain is none. */
export async function changeDomain(
  action: "block" | "allow" | "reset",
  name: string,
  options: OperatorOptions,
): Promise<void> {
  switch (action) {
    case "block":
      return setRule(name, { kind: "blocked" }, options);
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
  throw new Error(`not a domain: ${JSON.stringify(name)}; for example: example.org or '*.example.org'`);
}

const BURST_SECONDS = 10;
const MOST_BURST = 1_000_000;

function limitOf({ rate, burst }: LimitOptions): DomainLimit {
  const perSecond = parseRate(rate);
  if (perSecond === undefined) {
    throw new Error(
      `not a rate: ${JSON.stringify(rate)}; a whole number per s, m or h, for example: --rate 50/s`,
    );
  }
  if (burst === undefined) {
    const ofTenSeconds = Math.round(perSecond * BURST_SECONDS);
    return { perSecond, burst: Math.min(Math.max(1, ofTenSeconds), MOST_BURST) };
  }
  const tokens = Number(burst);
  if (Number.isInteger(tokens) && tokens >= 1 && tokens <= MOST_BURST) return { perSecond, burst: tokens };
  throw new Error(
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
