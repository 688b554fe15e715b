import { createPrivateKey, sign } from "node:crypto";
import { type ClientHttp2Session, connect } from "node:http2";
import { json } from "node:stream/consumers";

import { describe, expect, it } from "vitest";

import { recordOf } from "../control/check.ts";
import { type FcmSimulator, startFcmSimulator } from "./fcm-simulator.ts";

const AUTH = "https://www.googleapis.com/auth/";
/** What firebase-admin 14.5 asks for. */
const ADMIN_SCOPES = [
  "cloud-platform",
  "firebase.database",
  "firebase.messaging",
  "identitytoolkit",
  "userinfo.email",
];
const TOKEN = "cXyZ0123456789abcdefgh:APA91bHPRgkF3JUikC4ENAHEeMrd41Zxv3hVZjC9KtT8OvPVGJ";

interface Answer {
  readonly status: number;
  readonly retryAfter: unknown;
  readonly body: unknown;
}

async function post(
  session: ClientHttp2Session,
  path: string,
  body: string,
  bearer?: string,
): Promise<Answer> {
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
  });
  stream.end(body);
  const headers = await new Promise<Record<string, unknown>>((resolve) => stream.once("response", resolve));
  return { status: Number(headers[":status"]), retryAfter: headers["retry-after"], body: await json(stream) };
}

/** A form as Google's clients send it, with some claims of one's own. */
function formFor(simulator: FcmSimulator, claims: object = {}): string {
  const {
    private_key: key,
    client_email: iss,
    token_uri: aud,
  } = recordOf(JSON.parse(simulator.serviceAccount)) ?? {};
  const iat = Math.floor((performance.timeOrigin + performance.now()) / 1_000);
  const scope = "https://www.googleapis.com/auth/firebase.messaging";
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");
  const text = `${encode({ alg: "RS256" })}.${encode({ iss, aud, scope, iat, exp: iat + 3_600, ...claims })}`;
  const signature = sign("sha256", Buffer.from(text), createPrivateKey(String(key))).toString("base64url");
  const grantType = "urn:ietf:params:oauth:grant-type:jwt-bearer";
  return new URLSearchParams({ grant_type: grantType, assertion: `${text}.${signature}` }).toString();
}

async function aClient() {
  await using opened = new AsyncDisposableStack();
  const simulator = opened.use(await startFcmSimulator());
  const session = connect(simulator.url, { ca: simulator.ca });
  opened.defer(() => session.destroy());
  const granted = await post(session, "/token", formFor(simulator));
  const bearer = String(recordOf(granted.body)?.["access_token"]);
  const path = `/v1/projects/${simulator.projectId}/messages:send`;
  const send = (message: unknown, with_ = bearer): Promise<Answer> =>
    post(session, path, JSON.stringify({ message }), with_);
  const resources = opened.move();
  return { simulator, session, bearer, send, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** FCM's own code, or else Google's canonical one. */
function codeOf({ status, body }: Answer): string {
  const error = recordOf(recordOf(body)?.["error"]) ?? {};
  const details = Array.isArray(error["details"]) ? error["details"].map(recordOf) : [];
  const own = details.map((detail) => detail?.["errorCode"]).find((code) => code !== undefined);
  return `${status} ${String(own ?? error["status"])}`;
}

describe("the authorization server", () => {
  it("gives an access token for an hour", async () => {
    await using client = await aClient();
    const { status, body } = await post(client.session, "/token", formFor(client.simulator));
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { expires_in: 3_600, token_type: "Bearer" },
    });
  });

  it.each([
    ["Google's audience", { aud: "https://oauth2.googleapis.com/token" }],
    ["firebase-admin's scopes", { scope: ADMIN_SCOPES.map((one) => `${AUTH}${one}`).join(" ") }],
  ])("accepts %s", async (_what, claims) => {
    await using client = await aClient();
    const { status } = await post(client.session, "/token", formFor(client.simulator, claims));
    expect(status).toBe(200);
  });

  it.each([
    ["another audience", { aud: "https://example.com/token" }, "Failed audience check"],
    ["an unknown account", { iss: "nobody@example.com" }, "account not found"],
    ["a time of the past", { iat: 1, exp: 3_601 }, "short-lived token"],
    ["another scope", { scope: "email" }, "Invalid OAuth scope"],
    ["scopes without messaging", { scope: `${AUTH}userinfo.email` }, "Invalid OAuth scope"],
  ])("refuses %s", async (_what, claims, because) => {
    await using client = await aClient();
    const { status, body } = await post(client.session, "/token", formFor(client.simulator, claims));
    expect(status).toBe(400);
    expect(recordOf(body)?.["error_description"]).toContain(because);
  });

  it("refuses a signature of nobody, and what is no grant", async () => {
    await using client = await aClient();
    const forged = formFor(client.simulator).replace(/.{8}$/, "AAAAAAAA");
    expect((await post(client.session, "/token", forged)).body).toMatchObject({ error: "invalid_grant" });
    expect((await post(client.session, "/token", "")).body).toMatchObject({
      error: "unsupported_grant_type",
    });
  });
});

describe("messages:send", () => {
  it("takes a message and writes it down", async () => {
    await using client = await aClient();
    const answer = await client.send({
      token: TOKEN,
      data: { a: "b" },
      android: { priority: "high", ttl: "60s" },
    });
    expect(answer.status).toBe(200);
    expect(recordOf(answer.body)?.["name"]).toMatch(/^projects\/demo-project\/messages\//);
    expect(client.simulator.pushes).toMatchObject([
      { status: 200, message: { token: TOKEN, data: { a: "b" }, priority: "high", ttl: "60s" } },
    ]);
  });

  it.each<[string, unknown, string]>([
    ["no message", undefined, "400 INVALID_ARGUMENT"],
    ["no token", { data: {} }, "400 INVALID_ARGUMENT"],
    [
      "a token of Apple's length but none of Google's letters",
      { token: "!".repeat(64) },
      "400 INVALID_ARGUMENT",
    ],
    ["data that is no text", { token: TOKEN, data: { a: 1 } }, "400 INVALID_ARGUMENT"],
    ["too much data", { token: TOKEN, data: { a: "x".repeat(4_100) } }, "400 INVALID_ARGUMENT"],
    ["an unknown field", { token: TOKEN, notify: {} }, "400 INVALID_ARGUMENT"],
    ["a priority that is none", { token: TOKEN, android: { priority: "10" } }, "400 INVALID_ARGUMENT"],
    ["a ttl without its s", { token: TOKEN, android: { ttl: "60" } }, "400 INVALID_ARGUMENT"],
    ["a ttl of more than 28 days", { token: TOKEN, android: { ttl: "2419201s" } }, "400 INVALID_ARGUMENT"],
  ])("refuses %s", async (_what, message, code) => {
    await using client = await aClient();
    expect(codeOf(await client.send(message))).toBe(code);
  });

  it("wants an access token that is still one", async () => {
    await using client = await aClient();
    expect(codeOf(await client.send({ token: TOKEN }, "ya29.other"))).toBe("401 UNAUTHENTICATED");
    client.simulator.revoke();
    expect(codeOf(await client.send({ token: TOKEN }))).toBe("401 UNAUTHENTICATED");
  });

  it("knows its own project only", async () => {
    await using client = await aClient();
    const answer = await post(client.session, "/v1/projects/other/messages:send", "{}", client.bearer);
    expect(codeOf(answer)).toBe("403 PERMISSION_DENIED");
  });

  it("follows rules as often as told, and knows the dead", async () => {
    await using client = await aClient();
    client.simulator.addRule({ errorCode: "QUOTA_EXCEEDED", retryAfter: 30, times: 2 });
    client.simulator.addRule({ errorCode: "UNAVAILABLE", token: "another" });
    const answers = [];
    for (let count = 0; count < 3; count += 1) answers.push(await client.send({ token: TOKEN }));
    expect(answers.map(({ status, retryAfter }) => [status, retryAfter])).toEqual([
      [429, "30"],
      [429, "30"],
      [200, undefined],
    ]);
    client.simulator.kill([TOKEN]);
    expect(codeOf(await client.send({ token: TOKEN }))).toBe("404 UNREGISTERED");
  });
});
