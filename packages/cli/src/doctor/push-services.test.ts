import { readFile, writeFile } from "node:fs/promises";

import { type FcmSimulator, startApnsSimulator, startFcmSimulator } from "@reveille/push-simulator";
import { type Config, parseConfig } from "@reveille/runtime";
import { startProxy } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { checkApns } from "./apns.ts";
import { checkCredentials } from "./credentials.ts";
import { checkFcm } from "./fcm.ts";
import { aHost, aDoctorContext, type TestHost } from "./testing/a-doctor-context.ts";

const containing = (text: string): unknown => expect.stringContaining(text);

describe("the doctor, asking FCM", () => {
  async function anFcmHost() {
    await using opened = new AsyncDisposableStack();
    const host = opened.use(await aHost());
    const fcm = opened.use(await startFcmSimulator());
    await writeFile(host.file("fcm.json"), fcm.serviceAccount, { mode: 0o600 });
    await writeFile(host.file("ca.pem"), fcm.ca);
    const resources = opened.move();
    return { host, fcm, [Symbol.asyncDispose]: () => resources.disposeAsync() };
  }

  function configOf(host: TestHost, fcm: FcmSimulator, changed: object = {}): Config {
    const { projectId, url: endpoint } = fcm;
    const way = {
      projectId,
      endpoint,
      serviceAccountFile: host.file("fcm.json"),
      caFile: host.file("ca.pem"),
    };
    const raw = {
      region: "eu",
      host: "s1.eu.push.example",
      redis: { url: "redis://127.0.0.1:1" },
      ingress: {
        components: [
          {
            service: "xmpp://127.0.0.1:1",
            domain: "eu.push.example",
            secretFile: host.file("component.secret"),
          },
        ],
      },
      modules: { android: { fcm: { ...way, ...changed } } },
    };
    return parseConfig(JSON.stringify(raw), "reveille.yaml");
  }

  it("hears that account and project are accepted, and wakes nobody for it", async () => {
    await using google = await anFcmHost();
    const context = aDoctorContext(configOf(google.host, google.fcm));
    expect(await checkFcm(context)).toMatchObject([
      {
        kind: "ok",
        item: "FCM project demo-project for android",
        text: containing("account and project accepted"),
      },
    ]);
    expect(await checkCredentials(context)).toMatchObject([{ kind: "ok" }]);
    expect(google.fcm.pushes).toMatchObject([{ status: 400, message: undefined }]);
  });

  it("repeats that Google refuses the project, with the cure", async () => {
    await using google = await anFcmHost();
    const config = configOf(google.host, google.fcm, { projectId: "another-project" });
    expect(await checkFcm(aDoctorContext(config))).toMatchObject([
      { kind: "fail", text: containing("PERMISSION_DENIED"), cure: containing("projectId") },
    ]);
  });

  it("repeats that Google refuses a service account whose key is gone", async () => {
    await using google = await anFcmHost();
    google.fcm.rotateKey();
    expect(await checkFcm(aDoctorContext(configOf(google.host, google.fcm)))).toMatchObject([
      { kind: "fail", text: containing("invalid_grant"), cure: containing("new key") },
    ]);
  });

  it("says why nobody can be reached, and which file is no service account", async () => {
    await using google = await anFcmHost();
    const config = configOf(google.host, google.fcm, { endpoint: "https://127.0.0.1:1" });
    expect(await checkFcm(aDoctorContext(config))).toMatchObject([
      {
        kind: "fail",
        text: containing("ECONNREFUSED"),
        cure: containing("nobody accepts connections at 127.0.0.1:1"),
      },
    ]);
    await writeFile(google.host.file("fcm.json"), "{}");
    expect(await checkFcm(aDoctorContext(config))).toMatchObject([
      { kind: "skipped", text: containing("not asked") },
    ]);
    expect(await checkCredentials(aDoctorContext(config))).toMatchObject([
      { kind: "fail", text: containing("fcm.json"), cure: containing("modules.android.fcm") },
    ]);
  });
});

describe("the doctor, asking both environments of Apple", () => {
  /** Apple with both, and a key that is good for the sandbox alone. */
  async function anApple() {
    await using opened = new AsyncDisposableStack();
    const host = opened.use(await aHost());
    const keys = [
      {
        keyId: "ABC1234567",
        teamId: "TEAM123456",
        publicKey: host.publicKey,
        environment: "sandbox" as const,
      },
    ];
    const names = ["api.push.apple.com", "api.sandbox.push.apple.com"];
    const production = opened.use(await startApnsSimulator({ keys, names }));
    const sandbox = opened.use(await startApnsSimulator({ keys, names, environment: "sandbox" }));
    const proxy = opened.use(
      await startProxy({
        portOf: { "api.push.apple.com": production.port, "api.sandbox.push.apple.com": sandbox.port },
      }),
    );
    await writeFile(host.file("apns-ca.pem"), production.ca + sandbox.ca);
    const resources = opened.move();
    return { host, proxy, [Symbol.asyncDispose]: () => resources.disposeAsync() };
  }

  it("names the one where a refused credential is accepted", async () => {
    await using apple = await anApple();
    const text = (await readFile(apple.host.configFile, "utf8")).replace(
      "endpoint: https://127.0.0.1:1",
      `proxy: ${apple.proxy.url.origin}`,
    );
    expect((await checkApns(aDoctorContext(parseConfig(text, "reveille.yaml"))))[0]).toMatchObject({
      kind: "fail",
      item: "APNs production for monalProdiOS",
      text: containing("but sandbox accepts credential and topic"),
      cure: containing("modules.monalProdiOS.apns.environment to sandbox"),
    });
  });
});
