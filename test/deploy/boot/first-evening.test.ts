import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { anInstalledMachine, type BootedHost, bootHost, whyNoBoot } from "./booted-host.ts";

const unable = await whyNoBoot();
if (unable !== undefined) process.stdout.write(`boot: skipped, ${unable}\n`);

const CHECKOUT = join(import.meta.dirname, "../../..");
const README = await readFile(join(CHECKOUT, "deploy/README.md"), "utf8");
const DOMAIN = "eu.push.example";
const NAME = `s1.${DOMAIN}`;
const [PUBLIC, INSIDE] = ["192.0.2.1", "10.0.0.1"];
const SOON = { timeout: 120_000, interval: 500 };
/** What is different behind each front, in the words of the README. */
const FRONTS = {
  prosody: {
    other: "ejabberd",
    option: "",
    install: (script: string) => script,
    secret: (script: string) => script,
    owner: "root prosody 640",
    import: () => commands("prosodyctl --root"),
    imported: `certificate and key for hosts ${DOMAIN}`,
    start: (script: string) => script,
  },
  ejabberd: {
    other: "prosody",
    option: "--front ejabberd",
    install: (script: string) =>
      script.replace("cp prosody.cfg.lua /etc/prosody/", inline("cp ejabberd.yml /etc/ejabberd/")),
    secret: (script: string) => script.split("\n")[0] ?? "",
    owner: "root root 600",
    import: () => commands("sh /opt/reveille/current/deploy/ejabberd-import.sh"),
    imported: `imported the certificate for ${DOMAIN}\n`,
    start: (script: string) =>
      script.replace(
        inline("systemctl restart redis-server prosody"),
        inline("systemctl restart redis-server ejabberd"),
      ),
  },
} as const;

const servicesOf = (front: keyof typeof FRONTS): readonly string[] => [
  "redis-server",
  front,
  "haproxy",
  "reveille-sidecar",
  "reveille-worker@1",
  "reveille-ingress",
];

/** The only one that this Apple knows. */
const APPLES_KEY = "/root/apples.p8";
const OUR_KEY = "/etc/reveille/apns/AuthKey_ABC1234567.p8";
/** To a device of its own each time, so that no window is waited for. */
const PUSH_TEST = "openssl rand -hex 32 | reveille push-test --module monalProdiOS";

let folder: string;
let host: BootedHost;

/** The commands of the README that begin like this, as they stand there. */
function commands(beginning: string): string {
  const blocks = [...README.matchAll(/^( *)```sh\n([\s\S]*?)^ *```$/gm)].map(([, indent = "", text = ""]) =>
    text.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
  );
  const found = blocks.filter((block) => block.startsWith(beginning));
  expect(found).toHaveLength(1);
  return found[0] ?? "";
}

/** A command that the README has within its text. */
function inline(command: string): string {
  expect(README).toContain(`\`${command}\``);
  return command;
}

/** Runs a script there that must not fail, and gives what it said. */
async function there(script: string): Promise<string> {
  const { code, said } = await host.run("sh", "-euc", `cd /root\n${script}`);
  expect(code, `${script}\n${said}`).toBe(0);
  return said;
}

const aSigningKey = (): string =>
  generateKeyPairSync("ec", { namedCurve: "P-256" })
    .privateKey.export({ type: "pkcs8", format: "pem" })
    .toString();

/** Runs a program there for as long as the machine runs. */
const keep = (unit: string, command: string): Promise<string> =>
  there(`systemd-run --quiet --unit=${unit} ${command}`);

const write = (path: string, text: string): Promise<string> => there(`cat >'${path}' <<'END'\n${text}\nEND`);

/** Records of the zone as options of dnsmasq. */
const dnsOf = (zone: string): string =>
  [
    "no-resolv",
    "no-hosts",
    "local=/example/",
    ...[...zone.matchAll(/^(_\S+)\. IN SRV (\d+) \d+ (\d+) (\S+)\.$/gm)].map(
      ([, name, priority, port, target]) => `srv-host=${name},${target},${port},${priority}`,
    ),
    ...[...zone.matchAll(/^(\S+)\. IN A (\S+)$/gm)].map(
      ([, name, address]) => `host-record=${name},${address}`,
    ),
  ].join("\n");

describe.skipIf(unable !== undefined).each(["prosody", "ejabberd"] as const)(
  "the first evening with a single host behind %s, by the commands of deploy/README.md",
  (front) => {
    const own = FRONTS[front];
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "reveille-evening-"));
      host = await bootHost(await anInstalledMachine(folder, [own.other]));
    }, 480_000);
    afterAll(async () => {
      await host[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    });

    it("makes all files of the region from its names", async () => {
      await there(`ip address add ${PUBLIC}/32 dev lo; ip address add ${INSIDE}/32 dev lo`);
      const options = `--region eu --hostname ${DOMAIN} --host ${NAME},${PUBLIC},${INSIDE}`;
      const module = "--module monalProdiOS,G7YU7X7KRJ.SworIM,production,ABC1234567,TEAM123456";
      const init = commands("reveille init").replace(/ *#.*/, "").trim();
      expect(await there(`${init} --yes ${options} ${module} ${own.option}`)).toContain(
        "read region/NEXT-STEPS.md",
      );
    });

    it("makes them again after a change: here a simulator in place of Apple", async () => {
      await there(`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 \\
        -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout apple.key -out /etc/reveille/apns/ca.pem`);
      await write(APPLES_KEY, aSigningKey());
      await keep(
        "apple",
        `reveille push-simulator --port=8443 --tls-key=/root/apple.key --tls-cert=/etc/reveille/apns/ca.pem --key=ABC1234567:TEAM123456:${APPLES_KEY}`,
      );
      await there(
        `sed -i 's|^    apns:|&\\n      endpoint: https://localhost:8443\\n      caFile: /etc/reveille/apns/ca.pem|' region/modules.yaml`,
      );
      await there(/`(reveille render region\/plan\.yaml[^`]*)`/.exec(README)?.[1] ?? "false");
      expect(await there(`cat region/${NAME}/reveille.yaml`)).toContain("https://localhost:8443");
    });

    it("has the files take their places, and makes the secret of front and ingress", async () => {
      await there(commands("echo net.ipv4"));
      // A single host has no Sentinel.
      await there(own.install(commands("cd region").replace(" sentinel.conf", "")));
      await there(commands("install -m 600"));
      await there(own.secret(commands("(umask 077")));
      expect(
        await there(
          "stat --format='%U %G %a' /etc/reveille/front/component.secret /etc/redis/redis.conf /etc/redis/redis-auth.conf /etc/reveille/redis/password",
        ),
      ).toBe(`${own.owner}\nredis redis 640\nroot redis 640\nroot root 600\n`);
      await there(`install -m 600 ${APPLES_KEY} ${OUR_KEY}`);
    });

    it("has a certificate and DNS", async () => {
      const live = `/etc/letsencrypt/live/${DOMAIN}`;
      await there(`mkdir -p ${live}
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj /CN=${DOMAIN} \\
        -addext subjectAltName=DNS:${DOMAIN} -keyout ${live}/privkey.pem -out ${live}/fullchain.pem`);
      expect(await there(own.import())).toContain(own.imported);
      await write("/etc/dnsmasq.conf", dnsOf(await there(`cat region/${DOMAIN}.zone`)));
      await keep("dns", "dnsmasq --keep-in-foreground --listen-address=127.0.0.1 --bind-interfaces");
    });

    it("starts, and the doctor has nothing to mend", async () => {
      await there(own.start(commands("systemctl restart redis-server")));
      await expect.poll(doctor, SOON).toMatch(HEALTHY);
      expect(await doctor()).toContain(`ok    net.ipv4.ip_nonlocal_bind: 1, for ${INSIDE}\n`);
    });

    it.each([
      "reveille queue discard --yes",
      "reveille domain block '*.example'",
      "redis-cli GET {eu}secret | grep -v -e NOAUTH -e '^$'",
    ])("lets a user without rights not do: %s", async (command) => {
      const { code, said } = await host.run("runuser", "-u", "nobody", "--", "sh", "-c", command);
      expect({ code, said }).toMatchObject({ code: 1 });
    });

    it("logs no warning of the front's configuration", async () => {
      const log = await there("cat /var/log/ejabberd/*.log 2>/dev/null || journalctl --no-pager -u prosody");
      const warnings = log
        .split("\n")
        .filter((line) => /\[(?:warning|error|critical)\]|\b(?:warn|error)\t/.test(line));
      const expected = [
        // The certificate of this test is signed by itself.
        `certs/${DOMAIN}.pem: at line 1: self-signed`,
        // ejabberd 24.12 says so of any configuration without CAPTCHA (deploy/README.md).
        "The option captcha_cmd is not configured",
      ];
      expect(warnings.filter((line) => !expected.some((text) => line.includes(text)))).toEqual([]);
    });

    it("wakes a device", async () => {
      const [pushTest = ""] =
        /^reveille push-test --module \w+/m.exec(commands("reveille check-config")) ?? [];
      expect(await there(`echo ${"ab".repeat(32)} | ${pushTest}`)).toContain("Apple has accepted the push");
    });

    it("keeps a key that works when a reload offers one that Apple refuses, and says so", async () => {
      await write(OUR_KEY, aSigningKey());
      const { code, said } = await host.run("reveille", "reload");
      expect(said).toContain("Apple answers 403 InvalidProviderToken; the old settings stay");
      expect(said).toContain("ingress: not asked");
      expect(code).toBe(1);
      expect((await host.run("systemctl", "reload", "reveille-worker@1")).code).not.toBe(0);
      await expect.poll(() => there("journalctl -u reveille-worker@1 -n 20"), SOON).toContain("403 Invalid");
      expect(await there(PUSH_TEST)).toContain("Apple has accepted the push");
    });

    it("shows the refusal of that reload among the journal's warnings, as records without a prefix", async () => {
      const warnings = await there(
        "journalctl --no-pager --output=cat --priority=warning --unit=reveille-worker@1",
      );
      const record: unknown = JSON.parse(
        warnings.split("\n").find((line) => line.includes("refused")) ?? "{}",
      );
      expect(record).toMatchObject({ level: "warn", msg: "configuration refused; nothing has changed" });
      expect(warnings).not.toContain('"level":"info"');
      const lines = await there("journalctl --no-pager --output=cat --unit=reveille-worker@1");
      const own = lines.split("\n").filter((line) => line.startsWith("{"));
      expect(own.filter((line) => !line.startsWith('{"level":"'))).toEqual([]);
      expect(own.length).toBeGreaterThan(1);
    });

    it.each([
      ["systemctl reload 'reveille-worker@*'", ""],
      ["reveille reload", `  read again        ${OUR_KEY}`],
    ])(
      "takes a key over that has changed on disk, by `%s`, and no process restarts",
      async (command, says) => {
        const pids = await there("systemctl show --property=MainPID --value 'reveille-*'");
        await write(APPLES_KEY, aSigningKey());
        await there("systemctl restart apple");
        const refused = await host.run("sh", "-c", PUSH_TEST);
        expect(refused).toMatchObject({
          code: 1,
          said: expect.stringContaining("InvalidProviderToken") as unknown,
        });
        await there(`install -m 600 ${APPLES_KEY} ${OUR_KEY}`);
        expect(await there(command)).toContain(says);
        expect(await there(PUSH_TEST)).toContain("Apple has accepted the push");
        expect(await there("systemctl show --property=MainPID --value 'reveille-*'")).toBe(pids);
      },
    );

    it("names what a reload does not reach, and what needs a restart", async () => {
      await there("echo another >/etc/reveille/front/component.secret");
      const ingress = await there("systemctl show --property=MainPID --value reveille-ingress");
      expect(await there("reveille reload")).toContain(
        `ingress ${ingress.trim()}: reloaded
  read again        /etc/reveille/front/component.secret
  needs a restart   ingress.components.0.secretFile: the content of /etc/reveille/front/component.secret has changed`,
      );
      const worker = (await there("systemctl show --property=MainPID --value reveille-worker@2")).trim();
      await there(`mv /run/reveille/worker-${worker}.sock /run/reveille/away`);
      const { code, said } = await host.run("reveille", "reload");
      await there(`mv /run/reveille/away /run/reveille/worker-${worker}.sock`);
      expect(said).toContain(`reveille-worker@2.service: not reached: its process ${worker} has no socket`);
      expect(code).toBe(1);
    });

    it("comes back from a boot that was faster than the tunnel", async () => {
      await there(
        `systemctl stop reveille.target haproxy ${front} redis-server; ip address del ${INSIDE}/32 dev lo`,
      );
      // The secret has changed: ejabberd has it in a file of its own.
      await there(own.import());
      await there(`systemctl start redis-server ${front} haproxy reveille.target`);
      await expect
        .poll(async () => there(`systemctl is-active ${servicesOf(front).join(" ")} || true`), SOON)
        .toBe("active\n".repeat(servicesOf(front).length));
      await there(`ip address add ${INSIDE}/32 dev lo`);
      await expect.poll(doctor, SOON).toMatch(HEALTHY);
    });
  },
);

/** What the doctor says, who knows the authority of the certificate; its exit code is in the first line. */
async function doctor(): Promise<string> {
  const authority = `/etc/letsencrypt/live/${DOMAIN}/fullchain.pem`;
  const { code, said } = await host.run("reveille", "doctor", "--ca", authority);
  return `${code}\n${said}`;
}
const HEALTHY = /^0\n[^]*\nhealthy/;
