import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { type Apns } from "./apns.ts";
import { CANARY_DOMAIN, FRONT_HOST, REGION_HOST } from "./names.ts";
import { type HostConfig } from "./roles.ts";
import { type Ports } from "./surroundings.ts";
import { type Workplace } from "./workplace.ts";

export interface HostConfigParts {
  readonly place: Workplace;
  readonly ports: Pick<Ports, "component" | "senderComponent" | "sidecar" | "status" | "frontDirect">;
  readonly redisSocket: string;
  readonly apns: Apns;
  readonly window?: string;
  /** The section `front`, if the front is our own. */
  readonly own?: HostConfig | undefined;
  /** Beside the default one, as the configuration has them. */
  readonly modules?: Readonly<Record<string, unknown>>;
}

/** The module Monal's builds from the App Store name. */
export const DEFAULT_MODULE = "monalProdiOS";

/** The configuration of the host, in the shape of `deploy/config.example.yaml`. */
export async function hostConfig(parts: HostConfigParts): Promise<HostConfig> {
  const { place, ports, redisSocket, apns, own, window = "20s", modules = {} } = parts;
  const runtimeDir = join(place.socketFolder, "run");
  await mkdir(runtimeDir, { recursive: true });
  const module = {
    apns: {
      topic: "G7YU7X7KRJ.SworIM",
      environment: "production",
      keyFile: place.signingKey.file,
      keyId: place.signingKey.keyId,
      teamId: place.signingKey.teamId,
      endpoint: apns.endpoint,
      caFile: apns.caFile,
    },
    alert: { title: "New Message", body: "New Message?" },
    sound: "default",
    expireAfter: "28d",
  };
  return {
    region: "eu",
    host: FRONT_HOST,
    runtimeDir,
    redis: { url: `redis+unix://${encodeURI(redisSocket)}` },
    ingress: {
      components: [
        { service: `xmpp://127.0.0.1:${ports.component}`, domain: REGION_HOST, secretFile: place.secretFile },
      ],
    },
    ...(own === undefined ? {} : { front: own }),
    admission: { window },
    defaultModule: DEFAULT_MODULE,
    modules: { ...modules, [DEFAULT_MODULE]: module },
    sidecar: {
      listen: `127.0.0.1:${ports.sidecar}`,
      statusListen: `127.0.0.1:${ports.status}`,
      fronts: [`127.0.0.1:${ports.frontDirect}`],
    },
    // For tests that start one: its place is at the user's server, so its publishes take s2s.
    canary: {
      component: {
        service: `xmpp://127.0.0.1:${ports.senderComponent}`,
        domain: CANARY_DOMAIN,
        secretFile: place.secretFile,
      },
      hostnames: [REGION_HOST],
      every: "10s",
    },
    log: { level: "debug" },
  };
}
