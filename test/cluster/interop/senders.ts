import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import {
  type CommandLine,
  ask,
  freePort,
  inDebianRoot,
  openServerDouble,
  Program,
  type ServerDouble,
} from "@reveille/testkit";

import { ALL_KINDS, type CertificateFiles, type Kind } from "./kinds.ts";

/** Users' servers, each with and without XEP-0288; ejabberd has it since 24.10. */
export const VARIANTS = [
  { name: "prosody-0-12", kind: "prosody", debian: 12, bidi: false },
  { name: "prosody-0-12-bidi", kind: "prosody", debian: 12, bidi: true },
  { name: "prosody-13", kind: "prosody", debian: 13, bidi: false },
  { name: "prosody-13-bidi", kind: "prosody", debian: 13, bidi: true },
  { name: "ejabberd-23-01", kind: "ejabberd", debian: 12, bidi: false },
  { name: "ejabberd-24-12", kind: "ejabberd", debian: 13, bidi: false },
  { name: "ejabberd-24-12-bidi", kind: "ejabberd", debian: 13, bidi: true },
] as const;

export type Variant = (typeof VARIANTS)[number];

/** One domain of a server for each kind of certificate. */
export const domainOf = (variant: Variant, kind: Kind): string => `${kind}.${variant.name}.example`;

const SECRET = "a secret of components";

export interface SenderOptions {
  readonly variant: Variant;
  readonly folder: string;
  /** Of this machine's release if `undefined`. */
  readonly root: string | undefined;
  readonly dnsPort: number;
  readonly s2sPort: number;
  readonly authority: string;
  readonly certificates: ReadonlyMap<Kind, CertificateFiles | undefined>;
}

export interface Sender extends AsyncDisposable {
  readonly domains: ReadonlyMap<Kind, ServerDouble>;
}

/** Starts a server, with a component that speaks for each of its domains. */
export async function startSender(options: SenderOptions): Promise<Sender> {
  await using starting = new AsyncDisposableStack();
  const { variant, root } = options;
  const folder = join(options.folder, variant.name);
  await mkdir(join(folder, "log"), { recursive: true });
  const componentPort = await freePort();
  const { command, args, env } =
    variant.kind === "prosody"
      ? await prosodyOf(options, folder, componentPort)
      : await ejabberdOf(options, folder, componentPort);
  const folders = [options.folder, dirname(options.authority)];
  const inside =
    root === undefined ? { command, args } : inDebianRoot({ root, shared: folders, command, args });
  const line = variant.kind === "ejabberd" ? await withHosts(folder, inside) : inside;
  starting.use(
    await Program.start({
      name: variant.name,
      ...line,
      folder,
      env: { ...process.env, ...env },
      logFile: join(folder, "server.log"),
      debianPackage: variant.kind,
      ready: async () => ask({ kind: "connection", at: { port: componentPort } }),
    }),
  );
  const domains = new Map<Kind, ServerDouble>();
  let shared: ServerDouble | undefined;
  for (const kind of ALL_KINDS) {
    const options = { port: componentPort, domain: domainOf(variant, kind), secret: SECRET };
    const component = shared ?? starting.use(await openServerDouble(options));
    domains.set(kind, component);
    // A component of ejabberd speaks for all hosts of its listener, and gets what is for any of them.
    if (variant.kind === "ejabberd") shared = component;
  }
  const parts = starting.move();
  return { domains, [Symbol.asyncDispose]: async () => parts.disposeAsync() };
}

/** Erlang asks the C library for addresses, which knows no DNS at a port of ours but /etc/hosts; this one is for it alone. */
async function withHosts(folder: string, { command, args }: CommandLine): Promise<CommandLine> {
  const file = join(folder, "hosts");
  await writeFile(file, "127.0.0.1 localhost four.example\n::1 six.example\n");
  const script = 'mount --bind "$0" /etc/hosts; exec "$@"';
  return { command: "unshare", args: ["--mount", "sh", "-euc", script, file, command, ...args] };
}

async function prosodyOf(options: SenderOptions, folder: string, componentPort: number) {
  const { variant, dnsPort, s2sPort, authority, certificates } = options;
  const file = join(folder, "prosody.cfg.lua");
  await mkdir(join(folder, "data"), { recursive: true });
  const tls = (kind: Kind): string => {
    const files = certificates.get(kind);
    return files === undefined ? "" : `ssl = { certificate = "${files.certificate}"; key = "${files.key}" }`;
  };
  await writeFile(
    file,
    `run_as_root = true
pidfile = nil
data_path = "${folder}/data"
log = { { to = "console", levels = { min = "info" } } }
ssl = { cafile = "${authority}"; capath = "/nonexistent" }
certificates = "${folder}/nothing"
unbound = { resolvconf = false; options = { ["module-config:"] = "iterator" }; forward = { "127.0.0.1@${dnsPort}" } }
interfaces = { "127.0.0.1" }
component_interfaces = { "127.0.0.1" }
c2s_ports = {}
s2s_ports = { ${s2sPort} }
s2s_direct_tls_ports = {}
component_ports = { ${componentPort} }
s2s_secure_auth = true
s2s_require_encryption = true
modules_enabled = { "saslauth"; "tls"; "dialback"; "smacks"; ${variant.bidi ? '"s2s_bidi";' : ""} }
VirtualHost "host.${variant.name}.example"
${ALL_KINDS.map((kind) => `Component "${domainOf(variant, kind)}"\n  component_secret = "${SECRET}"\n  ${tls(kind)}`).join("\n")}
`,
  );
  return { command: "prosody", args: ["-F", "--config", file], env: {} };
}

async function ejabberdOf(options: SenderOptions, folder: string, componentPort: number) {
  const { variant, dnsPort, s2sPort, authority, certificates } = options;
  const pems: string[] = [];
  for (const files of certificates.values()) if (files !== undefined) pems.push(files.certificate, files.key);
  const hosts = ALL_KINDS.map((kind) => `"${domainOf(variant, kind)}": { password: "${SECRET}" }`);
  await writeFile(
    join(folder, "ejabberd.yml"),
    `hosts: ["host.${variant.name}.example"]
loglevel: info
certfiles: [${pems.map((file) => `"${file}"`).join(", ")}]
ca_file: "${authority}"
s2s_use_starttls: required
listen:
  - { port: ${s2sPort}, ip: "127.0.0.1", module: ejabberd_s2s_in }
  - port: ${componentPort}
    ip: "127.0.0.1"
    module: ejabberd_service
    hosts: { ${hosts.join(", ")} }
modules: { mod_s2s_dialback: {}${variant.bidi ? ", mod_s2s_bidi: {}" : ""} }
`,
  );
  const inetrc = `{resolv_conf, ""}.\n{hosts_file, ""}.\n{lookup, [dns]}.\n{nameserver, {127,0,0,1}, ${dnsPort}}.\n`;
  await writeFile(join(folder, "inetrc"), inetrc);
  const args = ["-noinput", "-start_epmd", "false", "-mnesia", "dir", `"${folder}/spool"`, "-s", "ejabberd"];
  const env = {
    HOME: folder,
    ERL_INETRC: join(folder, "inetrc"),
    ERL_LIBS: "/usr/lib/x86_64-linux-gnu",
    EJABBERD_CONFIG_PATH: join(folder, "ejabberd.yml"),
    EJABBERD_LOG_PATH: join(folder, "log/ejabberd.log"),
  };
  return { command: "erl", args, env };
}
