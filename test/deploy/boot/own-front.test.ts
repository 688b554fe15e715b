import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { anInstalledMachine, type BootedHost, bootHost, whyNoBoot } from "./booted-host.ts";

const unable = await whyNoBoot();
const DOMAIN = "eu.push.example";
const NAME = `s1.${DOMAIN}`;
const [PUBLIC, INSIDE] = ["192.0.2.1", "10.0.0.1"];
const SOON = { timeout: 120_000, interval: 500 };
const SERVICES = [
  "redis-server",
  "reveille-sidecar",
  "reveille-worker@1",
  "reveille-ingress",
  "reveille-front",
];

let folder: string;
let host: BootedHost;
let steps: readonly string[] = [];

/** Runs a script there that must not fail, and gives what it said. */
async function there(script: string): Promise<string> {
  const { code, said } = await host.run("sh", "-euc", `cd /root/region\n${script}`);
  expect({ script, code, said }).toMatchObject({ code: 0 });
  return said;
}

/** The commands of the step of NEXT-STEPS.md that has this text, one per line, as they stand there. */
function commandsOf(text: string): string {
  const found = steps.filter((step) => step.includes(text));
  expect(found).toHaveLength(1);
  return [...(found[0] ?? "").matchAll(/`((?:install|systemctl) [^`]*)`/g)]
    .map(([, command]) => command)
    .join("\n");
}

describe.skipIf(unable !== undefined)(
  "a single host with a front of ours, by the commands of NEXT-STEPS.md",
  () => {
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "reveille-own-front-"));
      host = await bootHost(await anInstalledMachine(folder, ["prosody", "ejabberd", "haproxy"]));
    }, 480_000);
    afterAll(async () => {
      await host[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    });

    it("gets its files and secrets from `reveille init`", async () => {
      const options = `--front reveille --region eu --hostname ${DOMAIN} --host ${NAME},${PUBLIC},${INSIDE}`;
      const module = "--module monalProdiOS,G7YU7X7KRJ.SworIM,production,ABC1234567,TEAM123456";
      const { code, said } = await host.run(
        "sh",
        "-euc",
        `ip address add ${PUBLIC}/32 dev lo; ip address add ${INSIDE}/32 dev lo; cd /root
       reveille init --out region --yes ${options} ${module}`,
      );
      expect({ code, said }).toMatchObject({ code: 0 });
      steps = (await there("cat NEXT-STEPS.md")).split(/\n(?=\d+\. )/);
      expect(steps.join("\n")).not.toMatch(/haproxy|prosody|ejabberd|openssl rand|nonlocal_bind/);
      await there(`cd ${NAME}; cp reveille.yaml /etc/reveille/; cp redis.conf /etc/redis/`);
      await there(commandsOf("The passwords of Redis"));
      await there(commandsOf("The secrets of the front"));
      await there(
        `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out /etc/reveille/apns/AuthKey_ABC1234567.p8`,
      );
      expect(
        await there(
          "stat --format='%U %G %a' /etc/reveille/front/component.secret /etc/reveille/s2s/dialback.secret",
        ),
      ).toBe("root root 600\nroot root 600\n");
    });

    it("gets its certificate from where certbot keeps it", async () => {
      const live = `/etc/letsencrypt/live/${DOMAIN}`;
      await there(`mkdir -p ${live}
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj /CN=${DOMAIN} \\
        -addext subjectAltName=DNS:${DOMAIN} -keyout ${live}/privkey.pem -out ${live}/fullchain.pem`);
      await there(commandsOf("a certificate for").replace(/^systemctl reload.*$/m, ""));
      expect(await there("ls /etc/reveille/s2s")).toBe(`dialback.secret\n${DOMAIN}.crt\n${DOMAIN}.key\n`);
    });

    it("starts, with Redis and our units alone", async () => {
      await there(commandsOf("Start on each host"));
      await expect
        .poll(async () => there(`systemctl is-active ${SERVICES.join(" ")} || true`), SOON)
        .toBe("active\n".repeat(SERVICES.length));
    });

    it("has the doctor hear its ping through the front, and see its certificate by direct TLS", async () => {
      const doctor = async (): Promise<string> =>
        (await host.run("reveille", "doctor", "--ca", `/etc/reveille/s2s/${DOMAIN}.crt`)).said;
      await expect
        .poll(doctor, SOON)
        .toMatch(/^ok +component eu\.push\.example at xmpp:\/\/127\.0\.0\.1:5347/m);
      const { said } = await host.run(
        "sh",
        "-c",
        `openssl s_client -connect ${PUBLIC}:5270 -servername ${DOMAIN} -alpn xmpp-server -verify_hostname ${DOMAIN} -CAfile /etc/reveille/s2s/${DOMAIN}.crt </dev/null`,
      );
      expect(said).toContain("Verify return code: 0 (ok)");
      expect(said).toContain("ALPN protocol: xmpp-server");
    });

    it("serves a renewed certificate after a reload, and no process restarts", async () => {
      const pid = await there("systemctl show --property=MainPID --value reveille-front");
      const serial = (): Promise<string> =>
        there(
          `openssl s_client -connect ${PUBLIC}:5270 -servername ${DOMAIN} </dev/null 2>/dev/null | openssl x509 -noout -serial`,
        );
      const before = await serial();
      await there(`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj /CN=${DOMAIN} \\
      -addext subjectAltName=DNS:${DOMAIN} -keyout /etc/letsencrypt/live/${DOMAIN}/privkey.pem -out /etc/letsencrypt/live/${DOMAIN}/fullchain.pem`);
      await there(commandsOf("a certificate for"));
      await expect.poll(serial, SOON).not.toBe(before);
      expect(await there("systemctl show --property=MainPID --value reveille-front")).toBe(pid);
    });

    it("stops listening by `reveille drain`, and listens again by its --undo", async () => {
      const answers = async (): Promise<boolean> =>
        (
          await host.run(
            "sh",
            "-c",
            `openssl s_client -connect ${PUBLIC}:5270 -servername ${DOMAIN} </dev/null`,
          )
        ).code === 0;
      expect(await answers()).toBe(true);
      expect(await there("reveille drain")).toContain("the roles may be stopped");
      expect(await answers()).toBe(false);
      expect(await there("reveille drain --undo")).toContain("the front listens again");
      expect(await answers()).toBe(true);
    });

    it("lets no role but the front read its key", async () => {
      for (const [unit, sees] of [
        ["reveille-front", true],
        ["reveille-ingress", false],
        ["reveille-worker@1", false],
      ] as const) {
        const keys = await there(`ls /run/credentials/${unit}.service 2>/dev/null | grep -c s2s_ || true`);
        expect([unit, Number(keys) > 0]).toEqual([unit, sees]);
      }
    });
  },
);
