import { type CredentialSettings, type ModuleSettings } from "@reveille/push-services";
import { type ApnsCredential, type Config, type ModuleConfig } from "@reveille/runtime";
import { type PushModule } from "@reveille/wakeup";

/** The modules of the configuration as push-services wants them. */
export const moduleSettingsOf = (config: Config): ReadonlyMap<PushModule, ModuleSettings> =>
  new Map([...config.modules].map(([name, module]) => [name, settingsOf(module)]));

function settingsOf({ apns, alert, sound, expireAfter, collapseId, custom }: ModuleConfig): ModuleSettings {
  return {
    apns: {
      topic: apns.topic,
      environment: apns.environment,
      credential: credentialOf(apns.credential),
      endpoint: apns.endpoint === undefined ? undefined : new URL(apns.endpoint),
      caFile: apns.caFile,
    },
    alert,
    sound,
    expireAfter,
    collapseId,
    custom,
  };
}

function credentialOf(credential: ApnsCredential): CredentialSettings {
  if (credential.kind === "key") {
    const { keyFile, keyId, teamId } = credential;
    return { kind: "token", keyFile, keyId, teamId };
  }
  const { certFile, certKeyFile, passphraseFile } = credential;
  return { kind: "certificate", certFile, keyFile: certKeyFile, passphraseFile };
}
