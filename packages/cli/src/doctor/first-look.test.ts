import { networkTrouble } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { durationText } from "../terminal/time-text.ts";
import { judgeTrial } from "./component.ts";
import { type Target } from "./dns.ts";
import { type Finding } from "./finding.ts";
import { networkCure } from "./network-cure.ts";
import { checkOwnAddresses } from "./own-addresses.ts";
import { judgeUnit } from "./roles.ts";
import { judgeTargets } from "./s2s.ts";
import { aHost, aDoctorContext } from "./testing/a-doctor-context.ts";

const DOMAIN = "eu.push.example";
const target = (host: string, tls: Target["tls"]): Target => ({
  host,
  port: tls === "direct" ? 5270 : 5269,
  priority: 10,
  tls,
  ipv4: host === "." ? [] : ["192.0.2.1"],
  ipv6: [],
});
const kinds = (findings: readonly Finding[]): readonly string[] => findings.map(({ kind }) => kind);

describe("SRV records", () => {
  it("whose target is `.` say that a service is not offered", () => {
    const [offered, direct, ...addresses] = judgeTargets(
      DOMAIN,
      [target("s1", "starttls"), target(".", "direct")],
      true,
    );
    expect([offered, direct, ...addresses].map((finding) => finding?.kind)).toEqual(["ok", "ok", "ok"]);
    expect(direct?.text).toContain("direct TLS is not offered here");
    const [none, , ...rest] = judgeTargets(DOMAIN, [target(".", "starttls")]);
    expect(none).toMatchObject({ kind: "fail", text: expect.stringContaining("not offered") as unknown });
    expect(rest).toEqual([]);
  });

  it("of a region with one host have one target, and nothing to look at", () => {
    const one = [target("s1", "starttls"), target("s1", "direct")];
    expect(kinds(judgeTargets(DOMAIN, one, true))).toEqual(["ok", "ok", "ok", "ok"]);
    expect(kinds(judgeTargets(DOMAIN, one, false))).toContain("warn");
  });
});

describe("a unit", () => {
  const unit = { name: "reveille-worker@2.service", pid: 0 };

  it.each(["failed", "inactive", "activating", "deactivating"])("that is enabled and %s fails", (state) => {
    expect(judgeUnit({ ...unit, state, isEnabled: true })).toMatchObject([
      {
        kind: "fail",
        text: `enabled, but ${state}`,
        cure: expect.stringContaining("systemctl start reveille-worker@2") as unknown,
      },
    ]);
  });

  it("that runs, or is not enabled, is nothing to tell", () => {
    expect(judgeUnit({ ...unit, state: "active", isEnabled: true })).toEqual([]);
    expect(judgeUnit({ ...unit, state: "inactive", isEnabled: false })).toEqual([]);
  });
});

describe("the address that others of the region use", () => {
  const check = async (present: readonly string[]) => {
    await using host = await aHost();
    const context = aDoctorContext(host.config);
    const listen = { host: "10.0.0.1", port: 9464 };
    const config = { ...context.config, sidecar: { ...context.config.sidecar, listen } };
    return await checkOwnAddresses({
      ...context,
      config,
      machine: { ...context.machine, addresses: () => present },
    });
  };

  it("must be one of this machine's", async () => {
    expect(await check(["127.0.0.1", "10.0.0.1"])).toMatchObject([{ kind: "ok" }]);
    expect(await check(["127.0.0.1", "192.0.2.9"])).toMatchObject([
      { kind: "fail", text: "no interface of this machine has it; there are 192.0.2.9" },
    ]);
  });
});

describe("faults of the network", () => {
  const troubleOf = (code: string): string => networkTrouble(Object.assign(new Error(code), { code }));
  const codes = [
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "EHOSTUNREACH",
    "ETIMEDOUT",
    "ERR_TLS_CERT_ALTNAME_INVALID",
    "SELF_SIGNED_CERT_IN_CHAIN",
    "CERT_HAS_EXPIRED",
  ];

  it("have each a cure of their own, which names where it was to go", () => {
    const cures = codes.map((code) =>
      networkCure(troubleOf(code), { to: "api.push.apple.com:443", caSetting: "apns.caFile" }),
    );
    expect(cures.filter((cure) => cure === undefined)).toEqual([]);
    expect(new Set(cures).size).toBe(codes.length);
    expect(cures.join("\n")).toContain("getent hosts api.push.apple.com");
    expect(cures.join("\n")).toContain("by apns.caFile");
    expect(networkCure("it failed", { to: "x:1" })).toBeUndefined();
  });

  it("are cured for a front, too, that knows only the code", () => {
    const judged = judgeTrial("component", "xmpp://front.internal:5347", {
      kind: "refused",
      because: "ENOTFOUND",
    });
    expect(judged).toMatchObject({ cure: expect.stringContaining("getent hosts front.internal") as unknown });
  });
});

describe("durations", () => {
  it.each([
    [604_798_000, "7 days"],
    [100_000_000, "28 hours"],
    [3_600_000, "60 minutes"],
    [45_000, "45 s"],
    [1, "1 s"],
  ])("of %d ms are for people: %s", (duration, text) => {
    expect(durationText(duration)).toBe(text);
  });
});
