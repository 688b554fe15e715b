import { deviceRecords, type DeviceState, type DeviceStatus, openRegionSecret } from "@reveille/admission";
import { type Config, parseDuration } from "@reveille/runtime";
import {
  deviceKeyFrom,
  type DeviceKey,
  type Fingerprint,
  fingerprintOf,
  isPushModule,
  parseFingerprint,
  type PushModule,
  type TokenKind,
} from "@reveille/wakeup";

import { confirm } from "../terminal/confirm.ts";
import { fcmModulesOf } from "../modules/fcm-modules.ts";
import { print } from "../terminal/print.ts";
import { readToken } from "../terminal/read-token.ts";
import { inRegion, type RegionAccess } from "../role/region.ts";
import { durationText, timeText } from "../terminal/time-text.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { type OperatorOptions } from "../role/operator-options.ts";

/** Says which device is meant. */
export interface TokenOptions extends OperatorOptions {
  readonly fingerprint?: string;
  readonly module?: string;
}

/** Of `reveille token block`. */
export interface BlockOptions extends TokenOptions {
  readonly for: string;
  readonly yes: boolean;
}

/** Of `reveille token dead`. */
export interface DeadOptions extends OperatorOptions {
  readonly forget?: boolean;
}

type Records = ReturnType<typeof deviceRecords>;

/** `reveille token status`. */
export const showToken = async (options: TokenOptions): Promise<void> => aboutDevice(options, nothing);

/** `reveille token forget`. */
export const forgetToken = async (options: TokenOptions): Promise<void> =>
  aboutDevice(options, async (records, key) => records.forget(key));

/** `reveille token block`. Throws if the time is none. */
export async function blockToken(options: BlockOptions): Promise<void> {
  const lasting = parseDuration(options.for);
  if (lasting === undefined || lasting === 0) {
    throw new UsageError(`not a duration: ${JSON.stringify(options.for)}; for example: --for 30d`);
  }
  await aboutDevice(options, async (records, key, device) => {
    const hits = `blocking device ${device} ends its registration: 1 device of 1 domain gets no push for ${options.for}`;
    await confirm(hits, options.yes);
    await records.block(key, lasting);
  });
}

/** `reveille token dead`: how many devices are dead by the word of the push service; with `forget`, none afterwards. */
export async function deadTokens(options: DeadOptions): Promise<void> {
  await inRegion(options, async ({ config, redis, regionClock }) => {
    const records = deviceRecords({ redis, region: config.region, clock: regionClock });
    if (options.forget !== true) {
      const dead = await records.countDead();
      const text = `${dead} devices are dead by the word of the push service, of ${config.admission.mostDeadDevices} at most`;
      return print({ dead, most: config.admission.mostDeadDevices }, text, options);
    }
    const forgotten = await records.forgetDead();
    print(
      { forgotten },
      `${forgotten} devices forgotten: the push service is asked about them again`,
      options,
    );
  });
}

const nothing = async (): Promise<void> => undefined;

/** Does something with the device and tells what is known of it then. */
async function aboutDevice(
  options: TokenOptions,
  act: (records: Records, key: DeviceKey, device: Fingerprint) => Promise<void>,
): Promise<void> {
  await inRegion(options, async (region) => {
    const module = moduleOf(options, region.config);
    const tokens = fcmModulesOf(region.config).has(module) ? "fcm" : "apns";
    const fingerprint = await fingerprintIn(region, options, tokens);
    const key = deviceKeyFrom(fingerprint, module);
    const records = deviceRecords({
      redis: region.redis,
      region: region.config.region,
      clock: region.regionClock,
    });
    await act(records, key, fingerprint);
    const status = await records.status(key);
    print(answerOf(fingerprint, module, status), textOf(fingerprint, module, status), options);
  });
}

async function fingerprintIn(
  { redis, config }: RegionAccess,
  { fingerprint }: TokenOptions,
  tokens: TokenKind,
): Promise<Fingerprint> {
  if (fingerprint === undefined) {
    return fingerprintOf(
      await openRegionSecret(redis, config.region),
      await readToken(process.stdin, tokens),
    );
  }
  const parsed = parseFingerprint(fingerprint);
  if (parsed !== undefined) return parsed;
  throw new UsageError("not a fingerprint: those are 16 letters, digits, - and _, as the logs show them");
}

function moduleOf({ module }: TokenOptions, { modules, defaultModule }: Config): PushModule {
  const [only, ...others] = modules.keys();
  const wanted = module ?? defaultModule ?? (others.length === 0 ? only : undefined);
  if (wanted !== undefined && isPushModule(wanted) && modules.has(wanted)) return wanted;
  const known = [...modules.keys()].join(", ");
  if (wanted === undefined) throw new UsageError(`which module? Name one by --module: ${known}`);
  throw new UsageError(`the configuration has no module ${JSON.stringify(wanted)}; it has: ${known}`);
}

const answerOf = (
  fingerprint: Fingerprint,
  module: PushModule,
  { state, lasts, suspectedSince }: DeviceStatus,
) => {
  const { kind, ...facts } = state;
  return {
    fingerprint,
    module,
    state: kind,
    ...facts,
    ...(lasts === undefined ? {} : { lastsMs: lasts }),
    ...(suspectedSince === undefined ? {} : { suspectedSince }),
  };
};

function textOf(
  fingerprint: Fingerprint,
  module: PushModule,
  { state, lasts, suspectedSince }: DeviceStatus,
): string {
  return [
    `device ${fingerprint}, module ${module}`,
    describe(state),
    ...(lasts === undefined ? [] : [`remembered for another ${durationText(lasts)}`]),
    ...(suspectedSince === undefined
      ? []
      : [
          `the push service called its token bad, first at ${timeText(suspectedSince)}; asked again before that is believed`,
        ]),
  ].join("\n");
}

function describe(state: DeviceState): string {
  switch (state.kind) {
    case "unknown":
      return "nothing is known of it: its next wakeup leaves at once";
    case "granted":
      return state.at === 0
        ? "it has had a push; its next wakeup leaves at once"
        : `woken at ${timeText(state.at)}${state.proven === true ? "" : "; no push was accepted for it yet"}`;
    case "scheduled":
      return `to be woken at ${timeText(state.at)}${state.urgent ? ", somebody waits" : ""}`;
    case "dead":
      return `gets no pushes since ${timeText(state.since)}: ${REASONS[state.reason]}`;
  }
}

const REASONS = {
  refused: "the push service says that the token is gone",
  suspected: "the push service has called the token bad twice",
  blocked: "an operator has blocked it",
} as const;
