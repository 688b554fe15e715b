import { type Config, readSecret } from "@reveille/runtime";

import { reasonOf } from "../terminal/reason-of.ts";
import { about, type Finding } from "./finding.ts";
import { type Check } from "./doctor-context.ts";

/** The secrets that are no credential of APNs: there, not empty, and nobody else's business. */
export const checkSecretFiles: Check = async ({ config }) => {
  const { ingress, redis, sidecar, canary } = config;
  const files = [
    ...ingress.components.map(({ secretFile }, index) => [
      `ingress.components.${index}.secretFile`,
      secretFile,
    ]),
    ["redis.passwordFile", redis.passwordFile],
    ["redis.tls.keyFile", redis.tls?.keyFile],
    ...("url" in redis ? [] : sentinelFilesOf(redis)),
    ["sidecar.metricsTokenFile", sidecar.metricsTokenFile],
    ["canary.component.secretFile", canary?.component.secretFile],
    ["canary.tokenFile", canary?.tokenFile],
  ] as const;
  return Promise.all(
    files.flatMap(([key, file]) => (key === undefined || file === undefined ? [] : [judge(key, file)])),
  );
};

type Sentinels = Exclude<Config["redis"], { readonly url: string }>;

const sentinelFilesOf = ({ sentinelPasswordFile, sentinelTls }: Sentinels) =>
  [
    ["redis.sentinelPasswordFile", sentinelPasswordFile],
    ["redis.sentinelTls.keyFile", sentinelTls?.keyFile],
  ] as const;

async function judge(key: string, file: string): Promise<Finding> {
  const { ok, warn, fail } = about(`secret ${file}`);
  try {
    const { readableByOthers } = await readSecret(file, key);
    return readableByOthers
      ? warn("every user of this machine can read it", `chmod 600 ${file}`)
      : ok(`readable, for ${key}`);
  } catch (error) {
    return fail(reasonOf(error), `write the secret into ${file}, readable for the user of the roles alone`);
  }
}
