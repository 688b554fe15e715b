import { type CredentialSettings, type ModuleSettings, payloadMistake } from "@reveille/push-services";
import { type ApnsCredential, type Config, type FurtherRules, type ModuleConfig } from "@reveille/runtime";
import { type PushModule } from "@reveille/wakeup";

import { secretPath } from "./secret-path.ts";

/** What the configuration's schema does not know: a push that Apple would refuse for its size. */
export const moduleRules: FurtherRules = (config) =>
  [...moduleSettingsOf(config)].flatMap(([name, settings]) => {
    const message = payloadMistake(settings);
    if (message === undefined) return [];
    const key = Object.keys(settings.custom).length === 0 ? "alert" : "custom";
    return [{ path: ["modules", name, key], message, hint: "shorten `alert` or `custom`" }];
  });

/** The modules of the configuration as push-services wants them. */
export const moduleSettingsOf = (config: Config): ReadonlyMap<PushModule, ModuleSettings> =>
  new Map([...config.modules].map(([name, module]) => [name, settingsOf(module)]));

function settingsOf({ apns, ...push }: ModuleConfig): ModuleSettings {
  const { alert, sound, priority, quiet, expireAfter, collapseId, custom } = push;
  return {
    apns: {
      topic: apns.topic,
      environment: apns.environment,
      credential: credentialOf(apns.credential),
      endpoint: apns.endpoint === undefined ? undefined : new URL(apns.endpoint),
      caFile: apns.caFile === undefined ? undefined : secretPath(apns.caFile),
      proxy: apns.proxy === undefined ? undefined : new URL(apns.proxy),
    },
    alert,
    sound,
    priority,
    quiet,
    expireAfter,
    collapseId,
    custom,
  };
}

function credentialOf(credential: ApnsCredential): CredentialSettings {
  if (credential.kind === "key") {
    const { keyFile, keyId, teamId } = credential;
    return { kind: "token", keyFile: secretPath(keyFile), keyId, teamId };
  }
  const { certFile, certKeyFile, passphraseFile } = credential;
  return {
    kind: "certificate",
    certFile: secretPath(certFile),
    keyFile: certKeyFile === undefined ? undefined : secretPath(certKeyFile),
    passphraseFile: passphraseFile === undefined ? undefined : secretPath(passphraseFile),
  };
}
