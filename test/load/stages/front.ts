import { randomBytes } from "node:crypto";
import { join } from "node:path";

import { issueCertificate, openCertificateAuthority } from "@reveille/testkit";

import { type Bench } from "../bench.ts";
import { type Trial } from "../measure.ts";
import { type Planned } from "../plan.ts";
import { freePort } from "../ports.ts";
import { DOMAIN, MODULE } from "./region.ts";

/** A front of ours between real s2s streams and a component that says yes. */
export const frontStage: readonly Planned[] = [
  ...[1, 20, 200, 1_000].map((streams) => planned(streams, { mode: "saturation", inFlight: 500 })),
  planned(200, { mode: "rate", rate: 2_000 }),
  planned(200, { mode: "rate", rate: 300 }),
];

function planned(streams: number, load: Planned["load"]): Planned {
  return { load, setUp: async (bench) => setUpFront(bench, streams) };
}

interface Parts {
  readonly secret: string;
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
  readonly direct: number;
  readonly component: number;
}

async function setUpFront(bench: Bench, streams: number): Promise<Trial> {
  const certificates = join(bench.folder, "certificates");
  const authority = await openCertificateAuthority(join(bench.folder, "ca"));
  const sender = "*.users.example";
  for (const name of [DOMAIN, sender])
    await issueCertificate(authority, certificates, name, "serverAuth,clientAuth");
  const files = (name: string) => ({
    certificate: join(certificates, `${name}.crt`),
    key: join(certificates, `${name}.key`),
  });
  const parts: Parts = {
    secret: randomBytes(16).toString("hex"),
    ...files(DOMAIN),
    authority: authority.certificateFile,
    direct: await freePort(),
    component: await freePort(),
  };
  await startOurs(bench, parts);
  const ingress = bench.driver({
    name: "component",
    file: new URL("../doubles/component.ts", import.meta.url),
    settings: { hostname: DOMAIN, port: parts.component, secret: parts.secret },
  });
  await ingress.ready;
  await ingress.ask({ kind: "connected" });
  const driver = bench.driver({
    name: "sender",
    file: new URL("../doubles/s2s-sender.ts", import.meta.url),
    settings: { hostname: DOMAIN, module: MODULE, port: parts.direct, streams, ...files(sender) },
  });
  await driver.ready;
  await driver.ask({ kind: "connected" });
  return {
    stage: "front",
    driver,
    counted: ["front"],
    latency: "publish to reply",
    setting: { streams },
  };
}

async function startOurs(bench: Bench, parts: Parts): Promise<void> {
  const file = new URL("front-process.ts", import.meta.url);
  await bench.driver({ name: "front", file, settings: { hostname: DOMAIN, ...parts } }).ready;
}
