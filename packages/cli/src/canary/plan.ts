import { type ComponentOptions } from "@reveille/ingress";
import { type CanaryFile, type Logger } from "@reveille/runtime";
import { type DeviceToken, type Millis, parseDeviceToken, type PushModule } from "@reveille/wakeup";

import { secretFrom } from "../role/process.ts";

/** What a canary does in each round. */
export interface CanaryPlan {
  readonly component: ComponentOptions;
  readonly hostnames: readonly string[];
  readonly module: PushModule | undefined;
  /** Of a device for tests; without one the canary publishes for a node that no region takes for a device. */
  readonly token: DeviceToken | undefined;
  readonly every: Millis;
  readonly replyWithin: Millis;
  readonly deliveryWithin: Millis;
}

/** Throws an error that names the file if a secret cannot be read, or is no device token. */
export async function canaryPlanOf({ canary }: Pick<CanaryFile, "canary">, log: Logger): Promise<CanaryPlan> {
  const { component, hostnames, module, tokenFile, every, replyWithin, deliveryWithin } = canary;
  const { service, domain, secretFile } = component;
  return {
    component: {
      service,
      domain,
      secret: await secretFrom(secretFile, "canary.component.secretFile", log),
    },
    hostnames,
    module,
    token: tokenFile === undefined ? undefined : await tokenFrom(tokenFile, log),
    every,
    replyWithin,
    deliveryWithin,
  };
}

async function tokenFrom(file: string, log: Logger): Promise<DeviceToken> {
  const text = await secretFrom(file, "canary.tokenFile", log);
  const token = parseDeviceToken(text) ?? parseDeviceToken(text, "fcm");
  if (token !== undefined) return token;
  throw new Error(
    `${file}, the file that \`canary.tokenFile\` names, holds no device token: 32 to 512 hex digits on one line, or a registration token of FCM`,
  );
}
