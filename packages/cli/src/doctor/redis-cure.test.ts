import { startRedis } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { redisCure, redisReplyCure, type RedisServer } from "./redis-cure.ts";
import { checkRedis } from "./redis.ts";
import { aHost, aDoctorContext } from "./testing/a-doctor-context.ts";

const server: RedisServer = {
  to: "redis.example:6379",
  caSetting: "redis.tls.caFile",
  userSetting: "redis.username",
  passwordSetting: "redis.passwordFile",
};

const failure = (code: string, syscall = "connect"): Error =>
  new Error("no Redis", { cause: Object.assign(new Error("it failed"), { code, syscall }) });

describe("the cures for Redis", () => {
  it.each([
    ["NOAUTH", "redis.passwordFile"],
    ["WRONGPASS", "correct the password"],
    ["NOPERM", "ACL LIST"],
    ["MISCONF", "df -h"],
    ["READONLY", "is a replica, which takes no writes"],
    ["LOADING", "loading_eta_seconds"],
    ["MASTERDOWN", "without its primary"],
    ["OOM", "raise maxmemory"],
    ["MOVED", "without cluster mode"],
  ])("has one for %s", (kind, words) => {
    expect(redisReplyCure(kind, server)).toContain(words);
    expect(redisCure(new Error(`no Redis`, { cause: new Error(`${kind} it says`) }), server)).toContain(
      words,
    );
  });

  it.each([
    ["ENOTFOUND", "getent hosts redis.example"],
    ["EHOSTUNREACH", "ip route get redis.example"],
    ["ECONNREFUSED", "nobody accepts connections"],
    ["ETIMEDOUT", "let the firewalls pass"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "another name"],
    ["SELF_SIGNED_CERT_IN_CHAIN", "redis.tls.caFile"],
    ["CERT_HAS_EXPIRED", "renewed"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "speaks plain text"],
    ["ENOENT", "path of its socket"],
  ])("has one for %s", (code, words) => {
    expect(redisCure(failure(code), server)).toContain(words);
  });

  it("has none for what it does not know", () => {
    expect(redisCure(new Error("it failed"), server)).toBeUndefined();
    expect(redisCure("text", server)).toBeUndefined();
    // A password file that does not exist.
    expect(redisCure(failure("ENOENT", "open"), server)).toBeUndefined();
  });

  it("are what the doctor says about a Redis that wants a password", async () => {
    await using redis = await startRedis(["--requirepass", "secret"]);
    await using host = await aHost({ redis: `url: "redis+unix://${redis.path}"` });
    const [finding] = await checkRedis(aDoctorContext(host.config));
    expect(finding).toMatchObject({ item: "redis", kind: "fail" });
    expect(JSON.stringify(finding)).toContain("name the file with the password by redis.passwordFile");
  });
});
