import { aModule } from "@reveille/testkit";
import { epochMillis, millis, seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { type ApnsModuleSettings } from "../module-settings.ts";
import { aModuleWith } from "../testing/an-apns.ts";
import { formsOf, ownHeadersOf } from "./notification.ts";

const aSetting = (settings: Partial<ApnsModuleSettings> = {}): ApnsModuleSettings =>
  aModuleWith({ credential: { kind: "token", keyFile: "", keyId: "", teamId: "" } }, settings);

const headersOf = (flat: readonly string[]): Record<string, string | undefined> =>
  Object.fromEntries(flat.flatMap((name, place) => (place % 2 === 0 ? [[name, flat[place + 1]]] : [])));

describe("the push of a module", () => {
  it("is the same for urgent and quiet wakeups unless told otherwise", () => {
    const { urgent, quiet } = formsOf(aModule(), aSetting());
    expect(quiet).toBe(urgent);
  });

  it("is a background push for quiet wakeups if told so", () => {
    const { urgent, quiet } = formsOf(aModule(), aSetting({ quiet: "background", custom: { account: "x" } }));
    expect(headersOf(urgent.headers)).toMatchObject({ "apns-push-type": "alert", "apns-priority": "10" });
    expect(headersOf(quiet.headers)).toMatchObject({ "apns-push-type": "background", "apns-priority": "5" });
    expect(JSON.parse(quiet.body.toString())).toEqual({ account: "x", aps: { "content-available": 1 } });
  });

  it("has no sound if none is set", () => {
    const { urgent } = formsOf(aModule(), aSetting({ sound: undefined }));
    expect(urgent.body.toString()).not.toContain("sound");
  });

  it("over 4,096 bytes is refused at once, by the name of the module", () => {
    const custom = (length: number): Partial<ApnsModuleSettings> => ({
      custom: { text: "ü".repeat(length) },
    });
    expect(() => formsOf(aModule(), aSetting(custom(1_900)))).not.toThrow();
    expect(() => formsOf(aModule(), aSetting(custom(2_040)))).toThrow(
      /^module monalProdiOS: its payload has 4\d{3} bytes and Apple takes 4096/,
    );
  });

  it("does not let custom keys replace aps", () => {
    expect(() => formsOf(aModule(), aSetting({ custom: { aps: {} } }))).toThrow(
      "module monalProdiOS: custom",
    );
  });

  it.each(["", "ü", "x".repeat(65), "a\nb"])("does not take %j for a collapse id", (collapseId) => {
    expect(() => formsOf(aModule(), aSetting({ collapseId }))).toThrow("module monalProdiOS: collapseId");
  });

  it("does not take a topic that is no header value", () => {
    const settings = aSetting();
    const broken = { ...settings, apns: { ...settings.apns, topic: "a\r\nb: c" } };
    expect(() => formsOf(aModule(), broken)).toThrow("module monalProdiOS: apns-topic is no header value");
  });
});

describe("the headers of one wakeup", () => {
  const now = epochMillis(1_700_000_000_999);

  it("replace only a repeat of the same push on the screen", () => {
    expect(headersOf(ownHeadersOf("id", aSetting(), now))).toMatchObject({
      "apns-id": "id",
      "apns-collapse-id": "id",
    });
  });

  it("replace all older pushes of the module if told so", () => {
    const headers = headersOf(ownHeadersOf("id", aSetting({ collapseId: "one" }), now));
    expect(headers["apns-collapse-id"]).toBe("one");
  });

  it.each([
    [seconds(60), "1700000060"],
    [millis(0), "0"],
  ])("let Apple keep it for %i ms: apns-expiration %s, seconds since 1970", (expireAfter, expected) => {
    const headers = headersOf(ownHeadersOf("id", aSetting({ expireAfter }), now));
    expect(headers["apns-expiration"]).toBe(expected);
  });
});
