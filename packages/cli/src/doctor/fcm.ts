import { type FcmModuleSettings, probeFcm, type FcmProbeAnswer } from "@reveille/push-services";
import { type PushModule } from "@reveille/wakeup";

import { moduleSettingsOf } from "../modules/module-settings.ts";
import { reasonOf } from "../terminal/reason-of.ts";
import { about, type Finding } from "./finding.ts";
import { networkCure } from "./network-cure.ts";
import { type Check, type DoctorContext } from "./doctor-context.ts";

/** One message per module of FCM that Google only validates, for a device that cannot exist. */
export const checkFcm: Check = async (context) =>
  Promise.all(
    Array.from(moduleSettingsOf(context.config)).flatMap(([module, settings]) =>
      settings.kind === "fcm" ? [probe(module, settings, context)] : [],
    ),
  );

async function probe(
  module: PushModule,
  settings: FcmModuleSettings,
  { clock, timeout }: DoctorContext,
): Promise<Finding> {
  try {
    return judgeFcmProbe(module, settings, await probeFcm({ settings, clock, timeout }));
  } catch (error) {
    return about(itemOf(module, settings)).skipped(`not asked: ${reasonOf(error)}`);
  }
}

const itemOf = (module: PushModule, { fcm }: FcmModuleSettings): string =>
  `FCM project ${fcm.projectId} for ${module}`;

/** What Google's answer to a message for nobody says about the module. */
export function judgeFcmProbe(
  module: PushModule,
  settings: FcmModuleSettings,
  answer: FcmProbeAnswer,
): Finding {
  const { ok, fail } = about(itemOf(module, settings));
  switch (answer.kind) {
    case "accepted":
      return ok("reachable, service account and project accepted");
    case "unreachable":
      return fail(
        answer.because,
        networkCure(answer.because, {
          to: settings.fcm.endpoint?.host ?? "fcm.googleapis.com:443, oauth2.googleapis.com:443",
          caSetting: "fcm.caFile",
        }) ??
          "let this host connect to fcm.googleapis.com and oauth2.googleapis.com, TCP 443, without inspection of TLS",
      );
    case "refused":
      return fail(`Google answers ${answer.because}`, answer.by === "fcm" ? PROJECT_CURE : ACCOUNT_CURE);
  }
}

const PROJECT_CURE =
  "compare projectId with the Firebase console, enable the Firebase Cloud Messaging API (V1) there, and give the service account the role Firebase Cloud Messaging API Admin";
const ACCOUNT_CURE =
  "make a new key for the service account in the Firebase console, put its file where serviceAccountFile says, and set this host's clock";
