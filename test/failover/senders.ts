import { writeFile, mkdir } from "node:fs/promises";
import { join } from "node:path";

import { type SenderKind } from "./machines.ts";
import { type Machine } from "./namespaces.ts";
import { type Part } from "./part.ts";
import { COMPONENT_PORT, prosodyHere, startEjabberdOn, startProsodyOn } from "./servers.ts";
import { type Site } from "./site.ts";

/** Of both, for clients. */
export const CLIENT_PORT = 5222;

export interface SenderParts {
  readonly site: Site;
  readonly machine: Machine;
  /** Of its users. */
  readonly domain: string;
  /** Of a component that publishes without users. */
  readonly load: string;
  /** Whether it asks for replies on its own connection (XEP-0288). */
  readonly bidi: boolean;
  /** From which level on it logs. Default: `info`. */
  readonly logLevel?: "debug" | undefined;
  /** The files of another Debian release, whose program it is. Default: this machine's. */
  readonly root?: string | undefined;
}

/** Starts a user's server as its package has it, with the stock module that publishes. */
export async function startSender(kind: SenderKind, parts: SenderParts): Promise<Part> {
  const { site, machine, root } = parts;
  const folder = join(site.folder, machine.name);
  await mkdir(join(folder, "data"), { recursive: true });
  const common = { site, machine, root, name: "server" };
  switch (kind) {
    case "prosody": {
      const configFile = join(folder, "prosody.cfg.lua");
      await writeFile(configFile, prosodySender(parts, join(folder, "data")));
      return startProsodyOn({ ...common, configFile });
    }
    case "ejabberd": {
      const configFile = join(folder, "ejabberd.yml");
      await writeFile(configFile, ejabberdSender(parts));
      return startEjabberdOn({ ...common, configFile });
    }
  }
}

const prosodySender = ({ site, domain, load, bidi, logLevel }: SenderParts, data: string): string => `
modules_enabled = {
  "roster"; "saslauth"; "tls"; "dialback"; "disco"; "smacks"; ${bidi ? `"s2s_bidi"; ` : ""} "cloud_notify"; "register_ibr";
  -- Gives up a stream that acknowledges nothing for 30 s, as Prosody 13 does by itself; without it 0.12 holds on to a
  -- host that is gone until the kernel gives up, after 15 minutes.
  "s2s_smacks_timeout";
}
allow_registration = true
-- The clients of these tests speak no TLS.
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
s2s_secure_auth = true
s2s_require_encryption = true
certificates = "${site.certificates}"
component_interfaces = { "*" }
${prosodyHere(site, data, logLevel)}
VirtualHost "${domain}"
Component "${load}"
  component_secret = "${site.componentSecret}"
`;

const ejabberdSender = ({ site, domain, load, bidi, logLevel }: SenderParts): string => `
hosts: ["${domain}"]
loglevel: ${logLevel ?? "info"}
auth_method: [internal]
auth_password_format: plain
certfiles:
  - "${site.certificates}/${domain}.pem"
  - "${site.certificates}/${load}.pem"
ca_file: "${site.authority.certificateFile}"
s2s_use_starttls: required
listen:
  - { port: 5269, ip: "0.0.0.0", module: ejabberd_s2s_in }
  - { port: ${CLIENT_PORT}, ip: "0.0.0.0", module: ejabberd_c2s }
  - port: ${COMPONENT_PORT}
    ip: "0.0.0.0"
    module: ejabberd_service
    hosts: { "${load}": { password: "${site.componentSecret}" } }
shaper_rules: { max_user_offline_messages: 100000 }
access_rules: { register: { allow: all } }
registration_timeout: infinity
modules:
  mod_offline: {}
  mod_s2s_dialback: {}
  mod_push: {}${bidi ? "\n  mod_s2s_bidi: {}" : ""}
  mod_register: { ip_access: all, access: register }
`;
