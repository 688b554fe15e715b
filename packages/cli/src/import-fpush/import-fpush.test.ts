import { execFile } from "node:child_process";
import { mkdir, mkdtempDisposable, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parseConfig } from "@reveille/runtime";
import { aModule } from "@reveille/testkit";
import { seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { convertSettings } from "./convert.ts";
import { googleProjects } from "./google-projects.ts";
import { SETTINGS } from "./fixtures/settings.ts";
import { readSettings } from "./settings.ts";

const MAIN = join(import.meta.dirname, "../main.ts");
const convert = (text: string) =>
  convertSettings(readSettings(text, "settings.json"), {
    folder: "/etc/reveille",
    certificates: "/opt/fpush",
    projects: new Map([["someAndroidApp", "some-project"]]),
  });

describe("fpush's settings", () => {
  it("become a configuration of ours that says the same", () => {
    const { config, secrets } = convert(SETTINGS);
    const ours = parseConfig(config, "reveille.yaml");
    expect(ours).toMatchObject({
      region: "eu",
      host: "s1.eu.push.example",
      defaultModule: "monalProdiOS",
      ingress: {
        components: [
          {
            service: "xmpp://127.0.0.1:5347",
            domain: "eu.push.example",
            secretFile: "/etc/reveille/front/component.secret",
          },
        ],
      },
    });
    expect(ours.modules.get(aModule("monalProdiOS"))).toMatchObject({
      apns: {
        topic: "org.example.app",
        environment: "production",
        credential: {
          kind: "certificate",
          certFile: "/etc/reveille/apns/monalProdiOS.p12",
          passphraseFile: "/etc/reveille/apns/monalProdiOS.passphrase",
        },
      },
      alert: { title: "New Message", body: "New Message?" },
      window: seconds(90),
    });
    expect(ours.modules.get(aModule("monalSandboxiOS"))).toMatchObject({
      apns: { environment: "sandbox", credential: { certFile: "/etc/reveille/apns/monalSandboxiOS.p12" } },
      window: seconds(1),
    });
    expect(ours.modules.get(aModule("someAndroidApp"))).toMatchObject({
      fcm: { projectId: "some-project", serviceAccountFile: "/etc/reveille/fcm/someAndroidApp.json" },
      window: seconds(20),
      custom: {},
    });
    expect([...ours.modules.keys()]).toEqual(["monalProdiOS", "monalSandboxiOS", "someAndroidApp"]);
    expect(secrets).toEqual([
      { path: "/etc/reveille/front/component.secret", secret: "the key of the component" },
      { path: "/etc/reveille/apns/monalProdiOS.passphrase", secret: "a passphrase // no comment" },
    ]);
    expect(config).not.toContain("the key of the component");
  });

  it("have what differs listed: modules of other kinds, limits that were off, keys nobody knows", () => {
    const { differences } = convert(
      SETTINGS.replace(`"timeoutConfig"`, `"colour": "red", "timeoutConfig"`).replace(
        `"someAndroidApp"`,
        `"demo": { "type": "demo" }, "someAndroidApp"`,
      ),
    );
    const listed = differences.join("\n");
    expect(listed).toContain("module demo: its type `demo` is not taken over");
    expect(listed).toContain("install -m 600 /etc/fpush/google.json /etc/reveille/fcm/someAndroidApp.json");
    expect(listed).toContain("module someAndroidApp: messages have the priority high");
    expect(listed).toContain("module monalSandboxiOS: fpush had its rate limit off");
    expect(listed).toContain("install -m 600 /opt/fpush/certs/prod.p12 /etc/reveille/apns/monalProdiOS.p12");
    expect(listed).toContain("colour: fpush's source has no such key");
    expect(listed).not.toContain("ratelimitCleanupInterval: fpush");
    expect(listed).toContain("stop fpush before you start");
  });

  it.each([
    [
      "a placeholder of the README",
      (text: string) => text.replace("5347", "<XMPP-Server Component Port>"),
      /settings\.json is no JSON.*verPort": <XMPP.*placeholders/,
    ],
    [
      "no key",
      (text: string) => text.replace(`"componentKey": "the key of the component",`, ""),
      /component\.componentKey is missing/,
    ],
    [
      "a mistake of the component and one of a module",
      (text: string) => text.replace("5347", "0").replace(`"certs/prod.p12"`, "7"),
      /serverPort must be a port$/,
    ],
    [
      "no module that is served here",
      (text: string) => text.replaceAll(/"(?:apple|fcm)"/g, `"demo"`).replace(`"demo": {`, `"fcm": {`),
      /no module of the type `apple`, `fcm` or `google`/,
    ],
  ])("with %s are refused, with the place", (_what, change, message) => {
    expect(() => convert(change(SETTINGS))).toThrow(message);
  });
});

describe("one entry of fpush's settings", () => {
  it.each([
    [
      "a placeholder",
      (text: string) =>
        text.replace("certs/prod.p12", "<Path to p12 file>").replace("org.example.app", "<id>"),
      /^module monalProdiOS is left out: pushModules\.monalProdiOS\.apns\.certFilePath is still the placeholder <Path to p12 file>; pushModules\.monalProdiOS\.apns\.topic is still/,
    ],
    [
      "a path that is none",
      (text: string) => text.replace(`"certs/prod.p12"`, "7"),
      /certFilePath must be a text/,
    ],
    [
      "a topic that Apple knows not",
      (text: string) => text.replace("org.example.app", "org example"),
      /^module monalProdiOS is left out: .*topic: must be the app's bundle id/,
    ],
    [
      "an unknown environment",
      (text: string) =>
        text.replace(
          `"topic": "org.example.app"\n            },`,
          `"topic": "a.b", "environment": "Sandbox" },`,
        ),
      /environment must be production or sandbox/,
    ],
    [
      "data that is no object",
      (text: string) =>
        text.replace(
          `"topic": "org.example.app"\n            },`,
          `"topic": "a.b", "additionalData": [1] },`,
        ),
      /additionalData must hold keys and values/,
    ],
  ])("with %s is left out and named, and the others are taken over", (_what, change, line) => {
    const { config, differences } = convert(change(SETTINGS));
    const ours = parseConfig(config, "reveille.yaml");
    expect([...ours.modules.keys()]).toEqual(["monalSandboxiOS", "someAndroidApp"]);
    expect(ours.defaultModule).toBeUndefined();
    expect(differences.filter((one) => line.test(one))).toHaveLength(1);
    expect(differences.join("\n")).toContain("which ends registrations");
  });

  it("with a strange duration has fpush's usual window", () => {
    const { config, differences } = convert(SETTINGS.replace("1m 30s", "soon"));
    expect(parseConfig(config, "").modules.get(aModule("monalProdiOS"))?.window).toBe(seconds(20));
    expect(differences.join("\n")).toContain(
      `its ratelimitTime is no duration: "soon"; here the window is 20s`,
    );
  });

  it.each(["monal sandbox", "monal.sandbox"])("with the name %s keeps it as an alias", (name) => {
    const { config, differences, secrets } = convert(SETTINGS.replace("monalSandboxiOS", name));
    const module = parseConfig(config, "").modules.get(aModule("monal_sandbox"));
    expect(module).toMatchObject({
      aliases: [name],
      apns: { credential: { certFile: "/etc/reveille/apns/monal_sandbox.p12" } },
    });
    expect(differences.join("\n")).toContain(`module ${name} is called monal_sandbox here`);
    expect(secrets).toHaveLength(2);
  });

  it("with the name that another one gets is left out", () => {
    const both = SETTINGS.replace("monalSandboxiOS", "monal.x").replace("monalProdiOS", "monal_x");
    expect(convert(both).differences.join("\n")).toContain(
      "module monal.x is left out: it would be called monal_x here, as monal_x is; rename it",
    );
  });
});

describe("what fpush's structs have", () => {
  const apns = `"certPassword": "a passphrase // no comment",`;

  it("as data of its own in the payload becomes `custom`, but for the key that is Apple's", () => {
    const data = `"additionalData": { "account": { "deep": [1, "two"] }, "n": 1, "aps": {} },`;
    const { config, differences } = convert(SETTINGS.replace(apns, apns + data));
    expect(parseConfig(config, "").modules.get(aModule("monalProdiOS"))?.custom).toEqual({
      account: { deep: [1, "two"] },
      n: 1,
    });
    const listed = differences.join("\n");
    expect(listed).toContain("additionalData has a key `aps`, which belongs to Apple");
    expect(listed).not.toContain("additionalData.");
    expect(() => convert(SETTINGS.replace(apns, `${apns} "additionalData": null,`))).not.toThrow();
  });

  it("as a second name of the default module is an alias, unless a module is called so", () => {
    const aliasesIn = (text: string) =>
      [...parseConfig(convert(text).config, "").modules].map(([name, { aliases }]) => [name, aliases]);
    expect(aliasesIn(SETTINGS)).toEqual([
      ["monalProdiOS", ["default"]],
      ["monalSandboxiOS", []],
      ["someAndroidApp", []],
    ]);
    expect(aliasesIn(SETTINGS.replace("someAndroidApp", "default"))).toEqual([
      ["monalProdiOS", []],
      ["monalSandboxiOS", []],
      ["default", []],
    ]);
  });

  it("is named with what it did, and what is done here", () => {
    const more = `"poolIdleTimeout": "90s", "requestTimeout": 20,`;
    const limit = `"hardRatelimitTime": "600s", "ratelimitCleanupInterval"`;
    const black = `"blacklist": { "normalBlacklisting": "10m", "extendedBlacklisting": "20m" }, "ratelimit"`;
    const listed = convert(
      SETTINGS.replace(apns, apns + more)
        .replace(`"ratelimitCleanupInterval"`, limit)
        .replace(`"ratelimit"`, black)
        .replace("timeoutConfig", "timeout"),
    ).differences.join("\n");
    expect(listed).toContain("apns.poolIdleTimeout: after how long fpush closed an idle connection to Apple");
    expect(listed).toContain(
      "apns.requestTimeout: how long fpush waited for Apple's answer; here that is 10 s",
    );
    expect(listed).toContain(
      "ratelimit.hardRatelimitTime: how long fpush left a device alone that Apple throttled",
    );
    expect(listed).toContain("blacklist.normalBlacklisting: how long fpush answered for a token");
    expect(listed).toContain("timeout.xmppconnectionError: how long fpush waited to connect");
    expect(listed).not.toContain("no such key");
  });

  it("as a hostname with capitals is one in small letters", () => {
    const { config, differences } = convert(SETTINGS.replace("eu.push.example", "EU.Push.example"));
    expect(parseConfig(config, "")).toMatchObject({
      region: "eu",
      host: "s1.eu.push.example",
      ingress: { components: [{ domain: "eu.push.example" }] },
    });
    expect(differences.join("\n")).toContain("EU.Push.example is written in small letters here");
  });

  it("may have a project of an organisation's domain", () => {
    const { config } = convertSettings(readSettings(SETTINGS, "settings.json"), {
      folder: "/etc/reveille",
      certificates: "/opt/fpush",
      projects: new Map([["someAndroidApp", "example.com:my-project"]]),
    });
    expect(parseConfig(config, "").modules.get(aModule("someAndroidApp"))?.fcm?.projectId).toBe(
      "example.com:my-project",
    );
  });
});

describe("fpush's settings from another machine", () => {
  it("may have a byte order mark, line ends of Windows, and paths with blanks and quotes", () => {
    const strange = SETTINGS.replace("/etc/fpush/sandbox.p12", "/srv/it's here/s.p12").replaceAll(
      "\n",
      "\r\n",
    );
    const { differences } = convert(`\uFEFF${strange}`);
    expect(differences.join("\n")).toContain(
      `install -m 600 '/srv/it'\\''s here/s.p12' /etc/reveille/apns/monalSandboxiOS.p12`,
    );
  });

  it("get the project of FCM from the service account, or a name that Google refuses", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-import-"));
    const settings = readSettings(
      SETTINGS.replace("/etc/fpush/google.json", "google account.json"),
      "settings.json",
    );
    const convertHere = async () =>
      convertSettings(settings, {
        folder: "/etc/reveille",
        certificates: folder.path,
        projects: await googleProjects(settings, folder.path),
      });
    const without = await convertHere();
    expect(without.config).toContain("put-your-project-here");
    expect(without.differences.join("\n")).toContain(
      "google account.json could not be read, so replace modules.someAndroidApp.fcm.projectId",
    );
    await writeFile(join(folder.path, "google account.json"), `{"project_id":"my-chat-app"}`);
    const { config, differences } = await convertHere();
    expect(config).toContain("my-chat-app");
    expect(differences.join("\n")).not.toContain("could not be read");
  });
});

describe("reveille import-fpush", () => {
  const reveille = async (...args: readonly string[]) =>
    new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
      const child = execFile(process.execPath, [MAIN, ...args], (_error, stdout, stderr) =>
        resolve({ code: child.exitCode, stdout, stderr }),
      );
    });

  it("writes configuration and secrets, secrets readable for their owner alone, and overwrites nothing", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-import-"));
    const settings = join(folder.path, "settings.json");
    await writeFile(settings, SETTINGS);
    const out = join(folder.path, "out");
    const first = await reveille("import-fpush", settings, "--out", out);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout).toContain("What differs from fpush:");
    expect((await readdir(out, { recursive: true })).toSorted((a, b) => a.localeCompare(b))).toEqual([
      "apns",
      "apns/monalProdiOS.passphrase",
      "front",
      "front/component.secret",
      "reveille.yaml",
    ]);
    const secret = join(out, "front/component.secret");
    expect(await readFile(secret, "utf8")).toBe("the key of the component\n");
    expect((await stat(secret)).mode & 0o777).toBe(0o600);
    // The roles run as users of their own; there is no secret in it.
    expect((await stat(join(out, "reveille.yaml"))).mode & 0o777).toBe(0o644);
    expect((await stat(join(out, "front"))).mode & 0o777).toBe(0o711);
    expect(await reveille("check-config", join(out, "reveille.yaml"))).toMatchObject({ code: 0 });

    const elsewhere = join(folder.path, "linked");
    await mkdir(elsewhere);
    await symlink(join(folder.path, "nowhere"), join(elsewhere, "reveille.yaml"));
    await symlink(out, join(elsewhere, "front"));
    const linked = await reveille("import-fpush", settings, "--out", elsewhere);
    expect(linked.stderr).toContain("nothing was written, since these are links to other places:");
    expect(linked.stderr).toContain(
      `: ${join(elsewhere, "reveille.yaml")}, ${join(elsewhere, "front")}; remove them`,
    );
    expect((await readdir(elsewhere)).toSorted()).toEqual(["front", "reveille.yaml"]);
    expect(await readdir(out)).not.toContain("component.secret");

    await writeFile(secret, "mine\n");
    const again = await reveille("import-fpush", settings, "--out", out);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("already there, so nothing was written");
    expect(await readFile(secret, "utf8")).toBe("mine\n");
  });

  it("prints a configuration without secrets when it is not told where to write", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-import-"));
    const settings = join(folder.path, "settings.json");
    await writeFile(settings, SETTINGS);
    const { stdout } = await reveille(
      "import-fpush",
      settings,
      "--region",
      "us",
      "--host",
      "s9.us.push.example",
    );
    expect(parseConfig(stdout, "printed")).toMatchObject({ region: "us", host: "s9.us.push.example" });
    expect(stdout).not.toContain("the key of the component");
    expect(stdout).not.toContain("a passphrase // no comment");
  });
});
