import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { startFcmSimulator } from "@reveille/push-simulator";
import { type Region, startRegion } from "@reveille/demo";
import { anFcmToken, until } from "@reveille/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { edit, reload } from "./reloading.ts";

const MODULE = "monalProdiOS";

let region: Region;

beforeAll(async () => {
  region = await startRegion({
    folder: join(import.meta.dirname, "../../.reveille/runs/reload-modules-test"),
    doubles: ["load.example"],
  });
});
afterAll(async () => region[Symbol.asyncDispose]());

describe("reveille reload, with credentials that are not yet proved", () => {
  it("uses no other key before Apple has accepted it", async () => {
    const good = await readFile(region.configFile, "utf8");
    const stranger = `${region.configFile}.p8`;
    const { privateKey } = generateKeyPairSync("ec", {
      namedCurve: "prime256v1",
      privateKeyEncoding: { format: "pem", type: "pkcs8" },
      publicKeyEncoding: { format: "pem", type: "spki" },
    });
    await writeFile(stranger, privateKey, { mode: 0o600 });
    await edit(region, ({ modules, ...config }) => {
      const module = modules[MODULE];
      return {
        ...config,
        modules: { [MODULE]: { ...module, apns: { ...module?.apns, keyFile: stranger } } },
      };
    });
    const { code, stdout } = await reload(region);
    expect(
      stdout.match(/^worker \d+: refused, nothing has changed\n.*403 InvalidProviderToken/gm),
    ).toHaveLength(2);
    expect(code).toBe(1);
    await writeFile(region.configFile, good);

    await using server = await region.openDouble("load.example");
    const node = randomBytes(32).toString("hex");
    expect(await server.publish({ to: region.hostname, node, module: MODULE })).toMatchObject({
      type: "result",
    });
    await until(async () => (await region.apns.pushesTo(node))[0], { what: "the push", withinMs: 60_000 });
  });
});

describe("reveille reload, of an Android app", () => {
  it("takes its module in, proves another service account, and takes the module out again", async () => {
    const before = await readFile(region.configFile, "utf8");
    await using google = await startFcmSimulator();
    await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-fcm-"));
    const [caFile, first] = [join(folder.path, "ca.pem"), join(folder.path, "first.json")];
    await writeFile(caFile, google.ca);
    await writeFile(first, google.serviceAccount, { mode: 0o600 });
    const way = { projectId: google.projectId, serviceAccountFile: first, endpoint: google.url, caFile };
    const use = (fcm: object) =>
      edit(region, ({ modules, ...config }) => ({ ...config, modules: { ...modules, android: { fcm } } }));
    await using server = await region.openDouble("load.example");
    const publish = (node: string) => server.publish({ to: region.hostname, node, module: "android" });
    const isSent = (node: string) => () =>
      google.pushes.find(({ message, status }) => message?.token === node && status === 200);

    await use(way);
    expect(await reload(region)).toMatchObject({ code: 0 });
    const juliet = anFcmToken("juliet");
    expect(await publish(juliet)).toMatchObject({ type: "result" });
    await until(isSent(juliet), { what: "her push", withinMs: 60_000 });

    const second = join(folder.path, "second.json");
    await writeFile(second, google.serviceAccount.replace(/"client_email":\s*"/, `$&not-`), { mode: 0o600 });
    await use({ ...way, serviceAccountFile: second });
    const refused = await reload(region);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toMatch(/modules\.android\.fcm: Google answers no access token: invalid_grant/);
    await writeFile(second, google.rotateKey());
    const changed = await reload(region);
    expect(changed.code).toBe(0);
    expect(changed.stdout).toContain(`modules.android.fcm.serviceAccountFile: "${first}" → "${second}"`);
    const romeo = anFcmToken("romeo");
    expect(await publish(romeo)).toMatchObject({ type: "result" });
    await until(isSent(romeo), { what: "his push", withinMs: 60_000 });

    await writeFile(region.configFile, before);
    const gone = await reload(region);
    expect(gone.stdout).toContain("modules.android.fcm.projectId: gone");
    expect(gone.code).toBe(0);
    expect(await publish(anFcmToken("nurse"))).toMatchObject({
      errorType: "wait",
      condition: "remote-server-timeout",
    });

    await edit(region, (config) => ({ ...config, retiredModules: ["android"] }));
    expect(await reload(region)).toMatchObject({ code: 0 });
    expect(await publish(anFcmToken("nurse"))).toMatchObject({
      errorType: "cancel",
      condition: "item-not-found",
    });
  });
});
