import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { ask, issueCertificate, openCertificateAuthority, until } from "@reveille/testkit";

import { type Bench } from "../bench.ts";
import { type Trial } from "../measure.ts";
import { type Planned } from "../plan.ts";
import { freePort } from "../ports.ts";
import { DOMAIN, MODULE } from "./region.ts";

type Kind = "reveille" | "prosody";

/** A front between real s2s streams and a component that says yes: ours, and Prosody in the same run. */
export const frontStage: readonly Planned[] = (["reveille", "prosody"] as const).flatMap((kind) => [
  ...[1, 20, 200, 1_000].map((streams) => planned(kind, streams, { mode: "saturation", inFlight: 500 })),
  planned(kind, 200, { mode: "rate", rate: 2_000 }),
  planned(kind, 200, { mode: "rate", rate: 300 }),
]);

function planned(kind: Kind, streams: number, load: Planned["load"]): Planned {
  return { load, setUp: async (bench) => setUpFront(bench, kind, streams) };
}

interface Parts {
  readonly secret: string;
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
  readonly direct: number;
  readonly component: number;
}

async function setUpFront(bench: Bench, kind: Kind, streams: number): Promise<Trial> {
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
  await (kind === "reveille" ? startOurs(bench, parts) : startProsody(bench, parts));
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
    setting: { front: kind, streams },
  };
}

async function startOurs(bench: Bench, parts: Parts): Promise<void> {
  const file = new URL("front-process.ts", import.meta.url);
  await bench.driver({ name: "front", file, settings: { hostname: DOMAIN, ...parts } }).ready;
}

/** As our template has it, but for what it does not need here. */
async function startProsody(bench: Bench, parts: Parts): Promise<void> {
  const [file, data] = [join(bench.folder, "prosody.cfg.lua"), join(bench.folder, "data")];
  await mkdir(data);
  await writeFile(
    file,
    `run_as_root = true
pidfile = nil
data_path = "${data}"
log = { { to = "console", levels = { min = "warn" } } }
ssl = { cafile = "${parts.authority}"; capath = "/nonexistent" }
interfaces = { "127.0.0.1" }
component_interfaces = { "127.0.0.1" }
c2s_ports = {}
s2s_ports = {}
s2s_direct_tls_ports = { ${parts.direct} }
s2s_direct_tls_ssl = { certificate = "${parts.certificate}"; key = "${parts.key}" }
component_ports = { ${parts.component} }
network_backend = "epoll"
s2s_secure_auth = true
modules_enabled = { "saslauth"; "tls"; "dialback"; "s2s"; "s2s_bidi" }
VirtualHost "localhost"
Component "${DOMAIN}"
  component_secret = "${parts.secret}"
  ssl = { certificate = "${parts.certificate}"; key = "${parts.key}" }
`,
  );
  bench.process({ name: "front", command: "prosody", args: ["-F", "--config", file] });
  await until(
    async () =>
      ask({ kind: "connection", at: { port: parts.component } }).then(
        () => true,
        () => undefined,
      ),
    {
      what: "Prosody",
      withinMs: 20_000,
    },
  );
}
