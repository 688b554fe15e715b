import { type CredentialSettings, type ModuleSettings, payloadMistake } from "@reveille/push-services";
import { type ApnsCredential, type Config, type FurtherRules, type ModuleConfig } from "@reveille/runtime";
import { type PushModule } from "@reveille/wakeup";

import { secretPath } from "../secrets/secret-path.ts";

/** What the configuration's schema does not know: a push that Apple or Google would refuse. */
export const moduleRules: FurtherRules = (config) =>
  [...moduleSettingsOf(config)].flatMap(([name, settings]) => {
    const message = payloadMistake(settings);
    if (message === undefined) return [];
    const key = Object.keys(settings.custom).length === 0 ? "alert" : "custom";
    const hint =
      settings.kind === "apns" ? "shorten `alert` or `custom`" : "shorten `custom`, and keep to texts";
    return [{ path: ["modules", name, key], message, hint }];
  });

/** The modules of the configuration as push-services wants them. */
export const moduleSettingsOf = (config: Pick<Config, "modules">): ReadonlyMap<PushModule, ModuleSettings> =>
  new Map([...config.modules].map(([name, module]) => [name, settingsOf(module)]));

function settingsOf({ apns, fcm, ...push }: ModuleConfig): ModuleSettings {
  const { alert, sound, priority, quiet, expireAfter, collapseId, custom } = push;
  const common = { quiet, expireAfter, collapseId, custom };
  if (fcm !== undefined) {
    const { projectId, serviceAccountFile } = fcm;
    const own = { projectId, serviceAccountFile: secretPath(serviceAccountFile), ...wayOf(fcm) };
    return { kind: "fcm", fcm: own, ...common };
  }
  if (apns === undefined) throw new Error("a module has passed its schema without a push service");
  const { topic, environment, credential } = apns;
  const own = { topic, environment, credential: credentialOf(credential), ...wayOf(apns) };
  return { kind: "apns", apns: own, alert, sound, priority, ...common };
}

/** What both push services' keys have to say of the way to them. */
interface Way {
  readonly endpoint?: string | undefined;
  readonly caFile?: string | undefined;
  readonly proxy?: string | undefined;
  readonly proxyPasswordFile?: string | undefined;
}

const wayOf = ({ endpoint, caFile, proxy, proxyPasswordFile }: Way) => ({
  endpoint: endpoint === undefined ? undefined : new URL(endpoint),
  caFile: caFile === undefined ? undefined : secretPath(caFile),
  proxy: proxy === undefined ? undefined : new URL(proxy),
  proxyPasswordFile: proxyPasswordFile === undefined ? undefined : secretPath(proxyPasswordFile),
});

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
