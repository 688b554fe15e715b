import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { freePort, launchProsody, type Program, within } from "@reveille/testkit";

import { type ChatClient, login, type PushRegistration } from "./chat-client.ts";
import { CANARY_DOMAIN } from "./names.ts";
import { machineSettings, type MachineSettings } from "./prosody-settings.ts";
import { type ReceivedReply, type SentPublish, watchWitness } from "./witness.ts";

/** A user's own XMPP server: a stock Prosody with the stock mod_cloud_notify, on a domain of its own. */
export interface Sender extends AsyncDisposable {
  readonly program: Program;
  readonly domain: string;
  /** Every publish it has sent and every reply it got, oldest first. */
  readonly publishes: readonly SentPublish[];
  readonly replies: readonly ReceivedReply[];
  /** Logs a person in; their account is made if they have none. */
  readonly login: (user: string) => Promise<ChatClient>;
  /** Logs in, registers a push and goes to sleep. */
  readonly enablePush: (user: string, registration: PushRegistration) => Promise<void>;
  /** The nodes this user's server would publish to, by what it has on disk. */
  readonly registrations: (user: string) => Promise<readonly string[]>;
}

export interface SenderOptions extends Omit<MachineSettings, "dataFolder"> {
  readonly folder: string;
  readonly logFile: string;
  readonly domain: string;
  /** Where it has a component, `CANARY_DOMAIN`. */
  readonly componentPort: number;
  /** That of the component. */
  readonly secretFile: string;
}

const LOGIN_MS = 15_000;
const PASSWORD = "password of tests";

/** Resolves when people can log in. */
export async function startSender(options: SenderOptions): Promise<Sender> {
  const { folder, domain, logFile, componentPort } = options;
  const dataFolder = join(folder, "data");
  const hostFolder = join(dataFolder, encoded(domain));
  await mkdir(join(hostFolder, "accounts"), { recursive: true });
  const port = await freePort();
  const configFile = join(folder, "prosody.cfg.lua");
  const component = componentOf(await readFile(options.secretFile, "utf8"));
  const machine = `${machineSettings({ ...options, dataFolder })}
component_ports = { ${componentPort} }
component_interfaces = { "127.0.0.1" }`;
  await writeFile(configFile, configOf(domain, port, machine) + component, { mode: 0o600 });

  const program = await launchProsody("sender", configFile, port, logFile);

  const loginAs = async (user: string): Promise<ChatClient> => {
    const account = join(hostFolder, "accounts", `${encoded(user)}.dat`);
    await writeFile(account, `return { ["password"] = "${PASSWORD}"; };\n`);
    return within(login({ user, domain, password: PASSWORD, port }), {
      what: "the login of a chat client",
      withinMs: LOGIN_MS,
      logFile,
    });
  };
  return {
    program,
    domain,
    ...watchWitness(program),
    login: loginAs,
    enablePush: async (user, registration) => {
      await using person = await loginAs(user);
      await within(person.enablePush(registration), {
        what: "the answer to <enable/>",
        withinMs: LOGIN_MS,
        logFile,
      });
    },
    registrations: async (user) => registrationsIn(join(hostFolder, "cloud_notify", `${encoded(user)}.dat`)),
    [Symbol.asyncDispose]: async () => program.stop(),
  };
}

const configOf = (domain: string, port: number, machine: string): string => `
plugin_paths = { "${join(import.meta.dirname, "prosody-modules")}" }
modules_enabled = {
  "roster"; "saslauth"; "tls"; "dialback"; "disco"; "s2s_bidi"; "smacks"; "cloud_notify"; "witness";
}
s2s_secure_auth = true
s2s_require_encryption = true
c2s_require_encryption = true
c2s_ports = { ${port} }
authentication = "internal_plain"
-- sasl-scram-sha-1 1.4 answers with a promise, for which @xmpp/sasl 0.13 doesn't wait. TLS hides PLAIN.
disable_sasl_mechanisms = { "SCRAM-SHA-1"; "SCRAM-SHA-256" }
${machine}
VirtualHost "${domain}"
`;

const componentOf = (secret: string): string => `
Component "${CANARY_DOMAIN}"
  component_secret = "${secret.trim()}"
`;

/** Prosody's file names: everything but letters and digits as `%xx`. */
const encoded = (name: string): string =>
  name.replaceAll(
    /[^A-Za-z0-9]/g,
    (character) => `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );

async function registrationsIn(file: string): Promise<readonly string[]> {
  const stored = await readFile(file, "utf8").catch(() => "");
  return [...stored.matchAll(/^\t\["[^"<]*<([^"]*)"\] = \{/gm)].map(([, node]) => node ?? "");
}
