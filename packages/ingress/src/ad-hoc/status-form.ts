import { type DomainRecord, type PublishResult } from "@reveille/wakeup";

import { CLEAR_CONTENT_ADVICE } from "./clear-content-advice.ts";
import { type RegionState } from "../ports.ts";
import { type Field, formXml } from "./data-form.ts";

/** How the service is: the process that is asked, and the region behind it. */
export type ServiceState = RegionState | "overloaded" | "restarting";

/** What is told of a domain, and who has counted it: the region, or this process alone since the region's counts cannot be had. */
export interface Told {
  readonly record: DomainRecord;
  readonly by: "region" | "out-of-reach" | "no-room";
}

export interface DomainStatus extends Told {
  readonly service: ServiceState;
  readonly domain: string;
  /** The domain's limit and what is left of it, in words. */
  readonly limit: string;
  /** Exact figures are for the domain's server; its accounts must not learn of each other's pushes from them. */
  readonly exact: boolean;
}

/** The form's FORM_TYPE (XEP-0068). */
export const STATUS_FORM = "urn:x-reveille:domain-status:1";

/** Figures for accounts are in steps of this size. */
const STEP = 10;

/** What the form says of each. */
export const SERVICE: Readonly<Record<ServiceState, string>> = {
  ready: "ready: publishes are accepted",
  delayed: "in trouble: publishes are accepted, and pushes leave when it is over",
  holding: "in trouble: publishes are held, and told to wait if it lasts",
  overloaded: "overloaded: publishes are told to wait",
  restarting: "restarting: publishes are told to wait",
};

const BY: Readonly<Record<Told["by"], string>> = {
  region: "by the whole region",
  "out-of-reach": "by one process of the region alone, since the region's counts are out of reach",
  "no-room": "by one process of the region alone, since the region has too many domains to count",
};

const RESULTS: Readonly<Record<PublishResult, string>> = {
  queued: "Accepted: a push was queued",
  later: "Accepted: a push follows at the end of the device's window",
  merged: "Accepted: covered by a push that is already due",
  "token-dead": "Refused for good: the device token is no longer valid",
  "no-device-token": "Refused for good: the node is no device token",
  "unknown-module": "Refused for good: the push module is not served here",
  "module-changed": "Refused for now: the push module is not served here at present",
  malformed: "Refused: the publish could not be read",
  "over-limit": "Refused for now: too many publishes from this domain",
  "over-budget": "Refused for now: too many publishes from this domain to devices not seen before",
  blocked: "Refused: this domain may not publish here",
  "not-a-server": "Refused: a client published, not a server",
  overload: "Refused for now: the service was overloaded",
  draining: "Refused for now: the service was restarting",
  "our-trouble": "Refused for now: the service was unavailable",
};

/** What the domain's own people are told, as a form (XEP-0004). */
export function statusForm(status: DomainStatus): string {
  const { domain, record, by, exact } = status;
  const since = new Intl.DateTimeFormat("sv-SE", {
    dateStyle: "short",
    timeStyle: "medium",
    timeZone: "UTC",
  });
  return formXml(STATUS_FORM, `Push notifications of ${domain}`, [
    field("service", "State of the service", SERVICE[status.service]),
    field("since", "Publishes counted since", `${since.format(record.since)} UTC, ${BY[by]}`),
    field("figures", "Figures", exact ? "exact" : `in steps of ${STEP}; exact ones for the server itself`),
    ...resultFields(record, exact),
    ...deadFields(record),
    ...replyFields(record, exact),
    field("limit", "Limit of this domain", status.limit),
    ...clearContentFields(record, exact),
  ]);
}

const field = (name: string, label: string, ...values: readonly string[]): Field => ({ name, label, values });

function resultFields(record: DomainRecord, exact: boolean): readonly Field[] {
  return keysOf(RESULTS).map((result) =>
    field(`result-${result}`, RESULTS[result], figure(record.count(result), exact)),
  );
}

/** From how many refused publishes an hour on a server is told that it should have given these devices up. */
const MANY_DEAD = 20;

/** Shown to accounts in whole tens like the count itself: it says no more than that. */
const deadFields = (record: DomainRecord): readonly Field[] =>
  record.count("token-dead") < MANY_DEAD
    ? []
    : [
        field(
          "dead-devices-advice",
          "How to stop publishes for devices that are gone",
          "Prosody 13.0 never gives them up by itself (its mod_cloud_notify counts no error): see docs/upstream-reports.md of this service's software.",
        ),
      ];

/** Whether this service's front can open a connection to the domain's server, which replies need without XEP-0288. */
function replyFields(record: DomainRecord, exact: boolean): readonly Field[] {
  const [reached, unreached] = [record.count("reached"), record.count("unreached")];
  const label = "Replies to this domain";
  // Accounts would see from it whether anything was published within the hour.
  if (!exact) return [field("replies", label, "told to the server itself")];
  if (unreached === 0) return [field("replies", label, reached === 0 ? "not tried" : "reach it")];
  return [
    field("replies", label, reached === 0 ? "do not reach it" : "reach it at times"),
    field(
      "replies-advice",
      "How to change that",
      "Let this service connect to your server (SRV records, port 5269), or use XEP-0288 (s2s_bidi in Prosody). Publishes are accepted all the same, but your server hears of no device that is gone.",
    ),
  ];
}

function clearContentFields(record: DomainRecord, exact: boolean): readonly Field[] {
  const name = "clear-content";
  const label = "Publishes with the sender's address or text of a message in clear";
  const { clearSoftware } = record;
  const count = record.count("in-clear");
  // Accounts don't see from it whether anything was published within the hour.
  if (clearSoftware === undefined || (exact && count === 0)) return [field(name, label, "none")];
  const advice = CLEAR_CONTENT_ADVICE[clearSoftware];
  return [
    field(name, label, `${figure(count, exact)}; we drop both unread`),
    field("clear-content-advice", "How to switch that off", advice),
  ];
}

function figure(count: number, exact: boolean): string {
  if (exact) return String(count);
  return count < STEP ? `fewer than ${STEP}` : `${Math.floor(count / STEP) * STEP} or more`;
}

const keysOf = (results: typeof RESULTS): readonly PublishResult[] => Object.keys(results).filter(isResult);

const isResult = (name: string): name is PublishResult => name in RESULTS;
