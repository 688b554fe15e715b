import { type ApnsModuleSettings, probeApns, type ProbeAnswer } from "@reveille/push-services";
import { parseHttpDate } from "@reveille/runtime";
import { type PushModule } from "@reveille/wakeup";

import { moduleSettingsOf } from "../modules/module-settings.ts";
import { judgeClock } from "./clock-skew.ts";
import { reasonOf } from "../terminal/reason-of.ts";
import { about, type Finding } from "./finding.ts";
import { networkCure } from "./network-cure.ts";
import { withTimeout } from "../with-timeout.ts";
import { type Check, type DoctorContext } from "./doctor-context.ts";

/** One push per module to a device that cannot exist, at the module's environment, and Apple's clock from the answers. */
export const checkApns: Check = async (context) => {
  const answers = await Promise.all(
    Array.from(moduleSettingsOf(context.config)).flatMap(([module, settings]) =>
      settings.kind === "apns" ? [probe(module, settings, context)] : [],
    ),
  );
  const skew = answers.find((answer) => answer.skew !== undefined)?.skew;
  return [...answers.map(({ finding }) => finding), ...(skew === undefined ? [] : [skew])];
};

interface Probed {
  readonly finding: Finding;
  readonly skew?: Finding;
}

async function probe(
  module: PushModule,
  settings: ApnsModuleSettings,
  context: DoctorContext,
): Promise<Probed> {
  const { clock } = context;
  try {
    const answer = await withTimeout(context, (signal) => probeApns({ module, settings, clock, signal }));
    const finding = judgeProbe(module, settings, answer, await elsewhere(module, settings, answer, context));
    const time =
      answer.kind === "answered" && answer.date !== undefined ? parseHttpDate(answer.date) : undefined;
    if (time === undefined) return { finding };
    // The header has whole seconds only.
    return { finding, skew: judgeClock("clock against Apple's", clock.now() - time - 500) };
  } catch (error) {
    const { skipped } = about(itemOf(module, settings));
    return { finding: skipped(`not asked: ${reasonOf(error)}`) };
  }
}

type Environment = ApnsModuleSettings["apns"]["environment"];

const otherOf = (environment: Environment): Environment =>
  environment === "production" ? "sandbox" : "production";

/** The environment where Apple takes what it has refused here, if there is one; asked only after such a refusal. */
async function elsewhere(
  module: PushModule,
  settings: ApnsModuleSettings,
  answer: ProbeAnswer,
  context: DoctorContext,
): Promise<Environment | undefined> {
  // An address of one's own is the same for both.
  if (settings.apns.endpoint !== undefined || !isRefusal(answer)) return undefined;
  const environment = otherOf(settings.apns.environment);
  const { clock } = context;
  const there = { ...settings, apns: { ...settings.apns, environment } };
  const second = await withTimeout(context, (signal) =>
    probeApns({ module, settings: there, clock, signal }),
  );
  return isAccepted(second) ? environment : undefined;
}

const isAccepted = (answer: ProbeAnswer): boolean =>
  answer.kind === "answered" && answer.reason === "BadDeviceToken";

const isRefusal = (answer: ProbeAnswer): boolean =>
  answer.kind === "answered" && (answer.status === 403 || answer.status === 400) && !isAccepted(answer);

const itemOf = (module: PushModule, { apns }: ApnsModuleSettings): string =>
  `APNs ${apns.environment} for ${module}`;

/** What APNs' answer to a push for nobody says about the module. `worksAt`: the other environment, if it takes it. */
export function judgeProbe(
  module: PushModule,
  settings: ApnsModuleSettings,
  answer: ProbeAnswer,
  worksAt?: Environment,
): Finding {
  const { ok, warn, fail } = about(itemOf(module, settings));
  if (answer.kind === "unreachable") {
    const { endpoint, environment } = settings.apns;
    const usual = environment === "production" ? "api.push.apple.com:443" : "api.sandbox.push.apple.com:443";
    const cure = networkCure(answer.because, { to: endpoint?.host ?? usual, caSetting: "apns.caFile" });
    return fail(
      answer.because,
      cure ??
        "let this host connect to api.push.apple.com and api.sandbox.push.apple.com, TCP 443 (or 2197), without inspection of TLS",
    );
  }
  const { status, reason } = answer;
  if (isAccepted(answer)) return ok("reachable, credential and topic accepted");
  const said = `answers ${status}${reason === "" ? "" : ` ${reason}`}`;
  if (worksAt !== undefined) {
    return fail(
      `${said}, but ${worksAt} accepts credential and topic`,
      `set modules.${module}.apns.environment to ${worksAt}, or use a credential for ${settings.apns.environment}`,
    );
  }
  if (isRefusal(answer)) return fail(said, CURES.get(reason) ?? OTHER_CURE);
  return warn(said, "ask again; if it stays so, look at Apple's system status page for APNs");
}

const OTHER_CURE = "compare the module with the app's settings at developer.apple.com";
const KEY_CURE =
  "compare keyId and teamId with developer.apple.com, and keyFile with the key of that id; a revoked key needs a new one";
const ENVIRONMENT_CURE = "set `environment` to what the credential was issued for: production or sandbox";
const TOPIC_CURE = "set `topic` to the bundle id of an app of this team or certificate";

const CURES: ReadonlyMap<string, string> = new Map([
  ["InvalidProviderToken", KEY_CURE],
  ["MissingProviderToken", KEY_CURE],
  ["UnrelatedKeyIdInToken", KEY_CURE],
  ["ExpiredProviderToken", "set this host's clock: Apple takes the provider token for one of the past"],
  ["BadEnvironmentKeyIdInToken", ENVIRONMENT_CURE],
  ["BadCertificateEnvironment", ENVIRONMENT_CURE],
  ["BadCertificate", "renew the certificate at developer.apple.com"],
  ["TopicDisallowed", TOPIC_CURE],
  ["BadTopic", TOPIC_CURE],
  ["DeviceTokenNotForTopic", TOPIC_CURE],
]);
