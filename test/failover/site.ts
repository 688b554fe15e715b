import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import {
  type CertificateAuthority,
  issueCertificate,
  makeSigningKey,
  openCertificateAuthority,
} from "@reveille/testkit";

const run = promisify(execFile);

export const CLI = join(import.meta.dirname, "../../packages/cli/src/main.ts");
const CA_FOLDER = join(import.meta.dirname, "../../.reveille/ca");
const OUTPUT = join(import.meta.dirname, "../output/failover");

/** Files of a run: a root folder for each machine, certificates, logs. */
export interface Site extends AsyncDisposable {
  readonly folder: string;
  readonly authority: CertificateAuthority;
  readonly certificates: string;
  readonly componentSecret: string;
  readonly signingKey: { readonly file: string; readonly keyId: string; readonly teamId: string };
  readonly logFile: (program: string) => string;
}

/** `name` is that of the run's folder of logs, which stays. */
export async function openSite(name: string, hostnames: readonly string[]): Promise<Site> {
  // Short, since the path of a Unix socket may have 107 bytes (unix(7)).
  const folder = await mkdtemp(join(tmpdir(), "rv-"));
  const logs = join(OUTPUT, name.replaceAll(/[^a-z0-9]+/gi, "-"));
  await rm(logs, { recursive: true, force: true });
  await mkdir(logs, { recursive: true });
  const authority = await openCertificateAuthority(CA_FOLDER);
  const certificates = join(folder, "certificates");
  await Promise.all(hostnames.map(async (one) => issueCertificate(authority, certificates, one)));
  await Promise.all(
    hostnames.map(async (one) => {
      const parts = await Promise.all(
        ["crt", "key"].map(async (kind) => readFile(join(certificates, `${one}.${kind}`), "utf8")),
      );
      await writeFile(join(certificates, `${one}.pem`), parts.join(""));
    }),
  );
  const signingKey = { file: join(folder, "AuthKey.p8"), keyId: "ABC1234567", teamId: "TEAM123456" };
  await makeSigningKey(signingKey.file);
  return {
    folder,
    authority,
    certificates,
    componentSecret: randomBytes(24).toString("base64url"),
    signingKey,
    logFile: (program) => join(logs, `${program}.log`),
    [Symbol.asyncDispose]: async () => rm(folder, { recursive: true, force: true }),
  };
}

/** Runs `reveille render` and puts each machine's files where they belong, below a root folder of its own. */
export async function renderInto({ folder }: Site, plan: object, modules: object): Promise<void> {
  const [planFile, modulesFile] = [join(folder, "plan.yaml"), join(folder, "modules.yaml")];
  // JSON is YAML (YAML 1.2 §1.3).
  await writeFile(planFile, JSON.stringify({ ...plan, modulesFile }));
  await writeFile(modulesFile, JSON.stringify(modules));
  const rendered = join(folder, "rendered");
  await run(process.execPath, [CLI, "render", planFile, "--out", rendered]);
  for (const machine of await readdir(rendered)) {
    if (machine.endsWith(".zone") || machine === "secrets") continue;
    for (const file of await readdir(join(rendered, machine))) await place(folder, machine, file);
  }
}

const PLACES: Readonly<Record<string, string>> = {
  "reveille.yaml": "etc/reveille",
  "prosody.cfg.lua": "etc/prosody",
  "ejabberd.yml": "etc/ejabberd",
  "haproxy.cfg": "etc/haproxy",
  "redis.conf": "etc/redis",
  "sentinel.conf": "etc/redis",
};

/** Of a machine's rendered file nothing changes but that its paths begin at the machine's root folder. */
async function place(folder: string, machine: string, file: string): Promise<void> {
  const root = join(folder, machine);
  const text = await readFile(join(folder, "rendered", machine, file), "utf8");
  const there = join(root, PLACES[file] ?? "", file);
  await mkdir(dirname(there), { recursive: true });
  await writeFile(there, text.replaceAll(/(?<![\w.:/-])\/(etc|run|var)\//g, `${root}/$1/`));
}

/** The passwords that `reveille render` has made, where deploy/README.md has them put. */
async function placeSecrets({ folder }: Site, root: string): Promise<void> {
  const secrets = join(folder, "rendered/secrets");
  await cp(join(secrets, "redis"), join(root, "etc/reveille/redis"), { recursive: true });
  // A region of one host has no Sentinels.
  for (const file of ["redis-auth.conf", "sentinel-auth.conf"])
    if (existsSync(join(secrets, file))) await cp(join(secrets, file), join(root, "etc/redis", file));
}

/** What an administrator adds by hand: secrets and certificates. */
export async function furnish(site: Site, machine: string, hostnames: readonly string[]): Promise<void> {
  const root = join(site.folder, machine);
  for (const folder of [
    "etc/reveille/front",
    "run/reveille",
    "run/prosody",
    "run/haproxy",
    "var/lib/redis",
    "var/lib/prosody",
  ])
    await mkdir(join(root, folder), { recursive: true });
  await placeSecrets(site, root);
  await mkdir(join(root, "etc/prosody/certs"), { recursive: true });
  for (const hostname of hostnames) {
    const [from, to] = [join(site.certificates, hostname), join(root, "etc/prosody/certs", hostname)];
    await cp(`${from}.crt`, `${to}.crt`);
    await cp(`${from}.key`, `${to}.key`);
  }
  await writeFile(join(root, "etc/reveille/front/component.secret"), `${site.componentSecret}\n`);
  await importForEjabberd(site, root, hostnames);
}

const IMPORT = join(import.meta.dirname, "../../deploy/ejabberd-import.sh");

/** With certificates as certbot keeps them, and our CA in place of the public ones. */
async function importForEjabberd(
  { certificates, authority }: Site,
  root: string,
  hostnames: readonly string[],
): Promise<void> {
  if (!existsSync(join(root, "etc/ejabberd/ejabberd.yml"))) return;
  const [live, authorities] = [join(root, "etc/letsencrypt/live"), join(root, "etc/ssl/certs")];
  await mkdir(authorities, { recursive: true });
  await cp(authority.certificateFile, join(authorities, "ca-certificates.crt"));
  for (const hostname of hostnames) {
    await mkdir(join(live, hostname), { recursive: true });
    await cp(join(certificates, `${hostname}.crt`), join(live, hostname, "fullchain.pem"));
    await cp(join(certificates, `${hostname}.key`), join(live, hostname, "privkey.pem"));
  }
  await run("sh", [IMPORT, "--root", root, live]);
}
