import { checkApns } from "./apns.ts";
import { checkComponents } from "./component.ts";
import { checkCredentials } from "./credentials.ts";
import { checkFcm } from "./fcm.ts";
import { checkFileLimits } from "./file-limits.ts";
import { reasonOf } from "../terminal/reason-of.ts";
import { about, type Finding } from "./finding.ts";
import { checkLateAddresses } from "./late-addresses.ts";
import { checkOwnAddresses } from "./own-addresses.ts";
import { type Check, type DoctorContext } from "./doctor-context.ts";
import { checkPeers } from "./peers.ts";
import { checkRedis } from "./redis.ts";
import { checkReplies } from "./replies.ts";
import { checkRoles } from "./roles.ts";
import { checkS2s } from "./s2s.ts";
import { checkSecretFiles } from "./secret-files.ts";
import { checkSentinels } from "./sentinels.ts";

/** In the order of the screen: what others depend on first. */
const CHECKS: readonly (readonly [string, Check])[] = [
  ["files", checkSecretFiles],
  ["credentials", checkCredentials],
  ["APNs", checkApns],
  ["FCM", checkFcm],
  ["redis", checkRedis],
  ["sentinels", checkSentinels],
  ["front", checkComponents],
  ["s2s", checkS2s],
  ["replies", checkReplies],
  ["roles", checkRoles],
  ["peers", checkPeers],
  ["limits", checkFileLimits],
  ["own addresses", checkOwnAddresses],
  ["addresses", checkLateAddresses],
];

/** All checks, side by side. Never rejects: a check that breaks is a finding. */
export async function examine(context: DoctorContext): Promise<readonly Finding[]> {
  const findings = await Promise.all(
    CHECKS.map(async ([name, check]) => {
      try {
        return await check(context);
      } catch (error) {
        return [about(name).fail(reasonOf(error), "mend what it names, and ask again")];
      }
    }),
  );
  return findings.flat();
}
