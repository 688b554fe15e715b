import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { REGION_HOST } from "./names.ts";
import { type HostConfig } from "./roles.ts";
import { type Ports } from "./surroundings.ts";
import { type Workplace } from "./workplace.ts";

export interface OwnFrontOptions {
  readonly place: Workplace;
  readonly ports: Pick<Ports, "front" | "frontDirect" | "component">;
  /** `address:port` of the private DNS. */
  readonly dnsServer: string;
}

/** The section `front` of the host's configuration. */
export async function frontSection({ place, ports, dnsServer }: OwnFrontOptions): Promise<HostConfig> {
  const dialbackSecretFile = join(place.folder, "dialback.secret");
  await writeFile(dialbackSecretFile, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600 });
  const certificate = (ending: string): string => join(place.certificateFolder, `${REGION_HOST}.${ending}`);
  return {
    hostnames: { [REGION_HOST]: { certificateFile: certificate("crt"), keyFile: certificate("key") } },
    listen: [`127.0.0.1:${ports.front}`],
    listenDirectTls: [`127.0.0.1:${ports.frontDirect}`],
    component: { listen: `127.0.0.1:${ports.component}`, secretFile: place.secretFile },
    dialbackSecretFile,
    authoritiesFile: place.authority.certificateFile,
    dnsServers: [dnsServer],
    privateAddresses: "allow",
  };
}
