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
    expect(listed).toContain("colour: fpush has no such key");
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
      "placeholders that are texts",
      (text: string) =>
        text.replace("certs/prod.p12", "<Path to p12 file>").replace("org.example.app", "<app bundle id>"),
      /monalProdiOS\.apns\.certFilePath is still the placeholder <Path to p12 file>; pushModules\.monalProdiOS\.apns\.topic is still/,
    ],
    [
      "no key",
      (text: string) => text.replace(`"componentKey": "the key of the component",`, ""),
      /component\.componentKey is missing/,
    ],
    [
      "two mistakes",
      (text: string) => text.replace("5347", "0").replace(`"certs/prod.p12"`, "7"),
      /serverPort must be a port; pushModules\.monalProdiOS\.apns\.certFilePath must be a text/,
    ],
    [
      "a strange duration",
      (text: string) => text.replace("1m 30s", "soon"),
      /monalProdiOS\.ratelimit\.ratelimitTime is no duration we know: "soon"/,
    ],
    [
      "a module with a strange name",
      (text: string) => text.replace("monalSandboxiOS", "monal sandbox"),
      /modules\.monal sandbox/,
    ],
    [
      "a module with a dot in its name",
      (text: string) => text.replace("monalSandboxiOS", "monal.sandbox"),
      /modules\.monal\.sandbox/,
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

  it("writes configuration and secrets, each readable for its owner alone, and overwrites nothing", async () => {
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
