import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { ask, freePort, issueCertificate, openCertificateAuthority, Program } from "@reveille/testkit";

import { type S2sPeerOptions } from "./s2s-peer.ts";

export type FrontKind = "prosody" | "ejabberd";

const REPOSITORY = join(import.meta.dirname, "../..");
const CLI = join(REPOSITORY, "packages/cli/src/main.ts");
const PLAN = join(REPOSITORY, "deploy/plan.example.yaml");
const SECRET_FILE = "/etc/reveille/front/component.secret";
const HOST = "s1.eu.push.example";

export const HOSTNAME = "eu.push.example";
export const SECRET = "a component secret of tests";

/** A front on 127.0.0.1 as `reveille render` configures it, but for addresses, ports and where files are. */
export interface RenderedFront extends AsyncDisposable {
  readonly program: Program;
  readonly serverPort: number;
  readonly directTlsPort: number;
  readonly componentPort: number;
  /** Where those connect that play users' servers. */
  readonly doublePort: number;
  /** Everything it has logged. */
  readonly log: () => Promise<string>;
  /** What a user's server needs to connect. */
  readonly identify: (domain: string) => Promise<S2sPeerOptions>;
  /** Memory it takes now, in bytes. */
  readonly memory: () => Promise<number>;
}

interface Place {
  readonly folder: string;
  readonly certificates: string;
  readonly authorityFile: string;
  readonly ports: Readonly<
    Record<"server" | "directTls" | "component" | "otherComponent" | "doubles", number>
  >;
  /** Components beside ours that play users' servers without s2s. */
  readonly doubles: readonly string[];
}

/** Resolves when it takes components. */
export async function startRenderedFront(
  kind: FrontKind,
  doubles: readonly string[],
): Promise<RenderedFront> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "reveille-front-"));
  opened.defer(async () => rm(folder, { recursive: true, force: true }));
  const authority = await openCertificateAuthority(join(folder, "authority"));
  const certificates = join(folder, "certificates");
  await issueCertificate(authority, certificates, HOSTNAME);
  const ports = {
    server: await freePort(),
    directTls: await freePort(),
    component: await freePort(),
    otherComponent: await freePort(),
    doubles: await freePort(),
  };
  const place = { folder, certificates, authorityFile: authority.certificateFile, ports, doubles };
  const program = opened.use(await { prosody: startProsody, ejabberd: startEjabberd }[kind](place));
  const parts = opened.move();
  return {
    program,
    serverPort: ports.server,
    directTlsPort: ports.directTls,
    componentPort: ports.component,
    doublePort: { prosody: ports.component, ejabberd: ports.doubles }[kind],
    log: async () => readFile(join(folder, "front.log"), "utf8"),
    identify: async (domain) => {
      // ejabberd 23.01 refuses certificates for servers alone, and asks for dialback instead.
      await issueCertificate(authority, certificates, domain, "serverAuth,clientAuth");
      const [key, certificate] = await Promise.all(
        ["key", "crt"].map(async (end) => readFile(join(certificates, `${domain}.${end}`))),
      );
      if (key === undefined || certificate === undefined) throw new Error("no certificate");
      return { port: ports.directTls, domain, to: HOSTNAME, key, certificate };
    },
    memory: async () => {
      const [, kib] = /VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${program.pid}/status`, "utf8")) ?? [];
      return 1_024 * Number(kib);
    },
    [Symbol.asyncDispose]: async () => parts.disposeAsync(),
  };
}

/** The file of the host as rendered, with its ports replaced. */
async function render(front: FrontKind, file: string, { folder, ports }: Place): Promise<string> {
  const plan = (await readFile(PLAN, "utf8")).replace(/^front: .*$/m, `front: ${front}`);
  const planFile = join(folder, "plan.yaml");
  await writeFile(planFile, plan.replace("modules.example.yaml", join(PLAN, "../modules.example.yaml")));
  await promisify(execFile)(process.execPath, [CLI, "render", planFile, "--out", join(folder, "rendered")]);
  const text = await readFile(join(folder, "rendered", HOST, file), "utf8");
  return text
    .replaceAll("15269", String(ports.server))
    .replaceAll("15270", String(ports.directTls))
    .replaceAll("5347", String(ports.component))
    .replaceAll("5348", String(ports.otherComponent))
    .replaceAll("10.0.0.1", "127.0.0.2");
}

async function startProsody(place: Place): Promise<Program> {
  const { folder, certificates, authorityFile, ports, doubles } = place;
  await writeFile(join(folder, "component.secret"), SECRET);
  await mkdir(join(folder, "data"));
  const rendered = (await render("prosody", "prosody.cfg.lua", place)).replaceAll(
    SECRET_FILE,
    join(folder, "component.secret"),
  );
  await writeFile(join(folder, "rendered.cfg.lua"), rendered);
  const here = `
Include "rendered.cfg.lua"
VirtualHost "localhost"
${doubles.map((domain) => `Component "${domain}"\n  component_secret = "${SECRET}"\n`).join("")}
`;
  const global = `
run_as_root = true
pidfile = nil
data_path = "${folder}/data"
certificates = "${certificates}"
ssl = { cafile = "${authorityFile}"; capath = "/nonexistent" }
`;
  // Options that stand before the first host are for all of them.
  const split = rendered.indexOf('VirtualHost "localhost"');
  await writeFile(
    join(folder, "rendered.cfg.lua"),
    rendered.slice(0, split) + global + rendered.slice(split),
  );
  await writeFile(join(folder, "front.cfg.lua"), here);
  return Program.start({
    name: "prosody",
    command: "prosody",
    args: ["-F", "--config", join(folder, "front.cfg.lua")],
    logFile: join(folder, "front.log"),
    debianPackage: "prosody",
    ready: async () => ask({ kind: "connection", at: { port: ports.component } }),
  });
}

async function startEjabberd(place: Place): Promise<Program> {
  const { folder, certificates, authorityFile, ports, doubles } = place;
  await writeFile(
    join(certificates, `${HOSTNAME}.pem`),
    `${await readFile(join(certificates, `${HOSTNAME}.crt`), "utf8")}${await readFile(join(certificates, `${HOSTNAME}.key`), "utf8")}`,
  );
  const macro = join(folder, "component-secret.yml");
  await writeFile(macro, `define_macro:\n  COMPONENT_SECRET: "${SECRET}"\n`);
  const names = doubles.map((domain) => `      "${domain}":\n        password: COMPONENT_SECRET\n`).join("");
  // A listener of their own: of one with several hostnames each stream is for all of them.
  const listener = `listen:\n  - port: ${ports.doubles}\n    ip: "127.0.0.1"\n    module: ejabberd_service\n    hosts:\n${names}`;
  const rendered = (await render("ejabberd", "ejabberd.yml", place))
    .replaceAll("/etc/ejabberd/component-secret.yml", macro)
    .replaceAll("/etc/ejabberd/ca.pem", authorityFile)
    .replaceAll("/etc/ssl/certs/ca-certificates.crt", authorityFile)
    .replaceAll("/etc/ejabberd/certs/*.pem", join(certificates, "*.pem"))
    .replace("listen:\n", listener);
  const configFile = join(folder, "ejabberd.yml");
  await writeFile(configFile, rendered);
  await mkdir(join(folder, "log"));
  return Program.start({
    name: "ejabberd",
    command: "erl",
    args: ["-noinput", "-start_epmd", "false", "-mnesia", "dir", `"${folder}/spool"`, "-s", "ejabberd"],
    folder,
    env: {
      ...process.env,
      HOME: folder,
      ERL_LIBS: "/usr/lib/x86_64-linux-gnu",
      EJABBERD_CONFIG_PATH: configFile,
      EJABBERD_LOG_PATH: join(folder, "log/ejabberd.log"),
    },
    logFile: join(folder, "front.log"),
    debianPackage: "ejabberd",
    ready: async () => ask({ kind: "connection", at: { port: ports.component } }),
  });
}
