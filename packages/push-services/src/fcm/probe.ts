import { type Clock, type EpochMillis, type Millis } from "@reveille/wakeup";

import { readSecretFile } from "../credentials/secret-file.ts";
import { frameWires } from "../http2/frames/frame-wire.ts";
import { systemResolver } from "../http2/endpoint.ts";
import { type WireResult } from "../http2/wire.ts";
import { type FcmModuleSettings } from "../module-settings.ts";
import { requestAccessToken } from "./access-token.ts";
import { fcmEndpointOf, tokenEndpointOf } from "./endpoints.ts";
import { exchangeOnce } from "./exchange.ts";
import { readFcmAnswer } from "./fcm-answer.ts";
import { messageToNobody } from "./message.ts";
import { loadServiceAccount } from "./service-account.ts";

/** What Google says to a message that cannot arrive. */
export type FcmProbeAnswer =
  /** Account, project and message are in order. */
  | { readonly kind: "accepted" }
  /** `by`: who refused, the authorization server the account, or FCM the project or the message. */
  | { readonly kind: "refused"; readonly by: "authorization" | "fcm"; readonly because: string }
  | { readonly kind: "unreachable"; readonly because: string };

export interface FcmProbeOptions {
  readonly settings: FcmModuleSettings;
  readonly clock: Clock;
  /** Longest time for FCM's answer; the authorization server has 10 s. */
  readonly timeout: Millis;
}

/**
 * Has Google validate one message for a token that cannot exist, on a connection of its own: shows whether it can be
 * reached and takes the module's service account and project. Throws as {@link loadServiceAccount} does.
 */
export async function probeFcm({ settings, clock, timeout }: FcmProbeOptions): Promise<FcmProbeAnswer> {
  const { serviceAccountFile, caFile } = settings.fcm;
  const { account } = await loadServiceAccount(serviceAccountFile);
  const ca =
    caFile === undefined ? undefined : (await readSecretFile(caFile, "certificate authorities")).content;
  const tokens = frameWires(tokenEndpointOf(account.tokenUri, settings.fcm, ca), systemResolver);
  const grant = await requestAccessToken(account, tokens, clock);
  if (grant.kind !== "granted") {
    const { because } = grant;
    return grant.kind === "refused"
      ? { kind: "refused", by: "authorization", because }
      : { kind: "unreachable", because };
  }
  const message = messageToNobody(settings);
  const shown = { ...message, headers: [...message.headers, "authorization", grant.token.bearer] };
  const wires = frameWires(fcmEndpointOf(settings.fcm, ca), systemResolver);
  const result = await exchangeOnce(wires, shown, clock, timeout);
  if (result.kind !== "answered") return { kind: "unreachable", because: result.because };
  return judge(result, clock.now());
}

/** Google looks at account and project first, so whatever it has against the token is what was hoped for. */
function judge(result: Extract<WireResult, { kind: "answered" }>, now: EpochMillis): FcmProbeAnswer {
  const { status } = result;
  const { reason, blamesToken } = readFcmAnswer(result, now);
  if (status === 200 || reason === "UNREGISTERED" || blamesToken) return { kind: "accepted" };
  if (status >= 500 || status === 429) return { kind: "unreachable", because: reason };
  return { kind: "refused", by: "fcm", because: reason };
}
