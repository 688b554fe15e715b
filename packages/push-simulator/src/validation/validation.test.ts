import { type OutgoingHttpHeaders } from "node:http2";

import { describe, expect, it } from "vitest";

import { type ApnsSimulatorOptions, startApnsSimulator } from "../index.ts";
import {
  type Client,
  connectTo,
  PAYLOAD,
  request,
  type Seen,
  TOKEN,
  unsignedBearer,
} from "../testing/client.ts";

interface Attempt {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
}

const RIGHT = {
  "apns-topic": "org.example.app",
  "apns-push-type": "alert",
  authorization: unsignedBearer(Date.now()),
};

const send = async (
  client: Client,
  { method = "POST", path, headers, body = PAYLOAD }: Attempt,
): Promise<Seen> =>
  request(
    client.session,
    { ":method": method, ":path": path ?? `/3/device/${TOKEN}`, ...RIGHT, ...headers },
    body,
  );

async function answerTo(attempt: Attempt, options: ApnsSimulatorOptions = {}): Promise<string> {
  await using simulator = await startApnsSimulator(options);
  await using client = await connectTo(simulator);
  const seen = await send(client, attempt);
  return reasonOf(seen);
}

const reasonOf = ({ status, body }: Seen): string =>
  body === "" ? `${status}` : `${status} ${/"reason":"(\w+)"/.exec(body)?.[1]}`;

const header = (name: string, value: string): Attempt => ({ headers: { [name]: value } });
const UUID = "00000000-0000-4000-8000-000000000001";

describe("a push", () => {
  it.each<[string, Attempt, string]>([
    ["that is right", {}, "200"],
    [
      "with every header",
      { headers: { "apns-id": UUID, "apns-expiration": "0", "apns-priority": "5" } },
      "200",
    ],
    ["by PUT", { method: "PUT" }, "405 MethodNotAllowed"],
    ["to another path", { path: "/4/device/ab" }, "404 BadPath"],
    ["to no device", { path: "/3/device/" }, "400 MissingDeviceToken"],
    ["with a header twice", { headers: { "apns-id": [UUID, UUID] } }, "400 DuplicateHeaders"],
    ["without a topic", header("apns-topic", ""), "400 MissingTopic"],
    ["with a topic of other letters", header("apns-topic", "org.exämple"), "400 BadTopic"],
    ["with a voip topic for an alert", header("apns-topic", "org.example.app.voip"), "400 BadTopic"],
    ["of type voip without its suffix", header("apns-push-type", "voip"), "400 BadTopic"],
    ["of type voip", { headers: { "apns-push-type": "voip", "apns-topic": "org.example.app.voip" } }, "200"],
    ["with an id that is no UUID", header("apns-id", "one"), "400 BadMessageId"],
    ["with a date as expiration", header("apns-expiration", "tomorrow"), "400 BadExpirationDate"],
    ["with a negative expiration", header("apns-expiration", "-1"), "400 BadExpirationDate"],
    ["with priority 7", header("apns-priority", "7"), "400 BadPriority"],
    [
      "for the background with priority 10",
      { headers: { "apns-push-type": "background", "apns-priority": "10" } },
      "400 BadPriority",
    ],
    ["of an unknown type", header("apns-push-type", "shout"), "400 InvalidPushType"],
    ["with a collapse id of 64 bytes", header("apns-collapse-id", "c".repeat(64)), "200"],
    ["with a collapse id of 65 bytes", header("apns-collapse-id", "c".repeat(65)), "400 BadCollapseId"],
    ["without a body", { body: "" }, "400 PayloadEmpty"],
    ["of 4,096 bytes", { body: "x".repeat(4_096) }, "200"],
    ["of 4,097 bytes", { body: "x".repeat(4_097) }, "413 PayloadTooLarge"],
    ["of a megabyte", { body: "x".repeat(1_000_000) }, "413 PayloadTooLarge"],
    [
      "of 5,120 bytes by voip",
      {
        headers: { "apns-push-type": "voip", "apns-topic": "org.example.app.voip" },
        body: "x".repeat(5_120),
      },
      "200",
    ],
    ["to a token that is no hex", { path: "/3/device/zz" }, "400 BadDeviceToken"],
    ["to half a byte too much", { path: `/3/device/${TOKEN}a` }, "400 BadDeviceToken"],
    ["to a token in upper case", { path: `/3/device/${TOKEN.toUpperCase()}` }, "200"],
    ["to a path out of the tree", { path: "/3/device/aa/../../x" }, "400 BadDeviceToken"],
  ])("%s is answered", async (_what, attempt, answer) => {
    expect(await answerTo(attempt)).toBe(answer);
  });

  it.each<[string, ApnsSimulatorOptions, string]>([
    ["topics are listed and its topic is not", { topics: ["org.example.other"] }, "400 TopicDisallowed"],
    ["topics are listed and its topic is", { topics: ["org.example.app"] }, "200"],
    ["only registered tokens are known", { unknownTokens: "refuse" }, "400 BadDeviceToken"],
    ["tokens have another length", { tokenBytes: 16 }, "400 BadDeviceToken"],
  ])("when %s", async (_when, options, answer) => {
    expect(await answerTo({}, options)).toBe(answer);
  });

  it("with every mistake at once hears of them in Apple's order", async () => {
    const repairs: [string, Attempt][] = [
      ["405 MethodNotAllowed", { method: "POST" }],
      ["404 BadPath", { path: "/3/device/zz" }],
      ["400 DuplicateHeaders", header("apns-priority", "7")],
      ["403 MissingProviderToken", header("authorization", RIGHT.authorization)],
      ["400 MissingTopic", header("apns-topic", "org.example.app")],
      ["400 BadMessageId", header("apns-id", UUID)],
      ["400 BadExpirationDate", header("apns-expiration", "1")],
      ["400 BadPriority", header("apns-priority", "5")],
      ["400 InvalidPushType", header("apns-push-type", "alert")],
      ["400 BadCollapseId", header("apns-collapse-id", "c")],
      ["413 PayloadTooLarge", { body: PAYLOAD }],
      ["400 BadDeviceToken", { path: `/3/device/${TOKEN}` }],
    ];
    let attempt: Attempt = {
      method: "PUT",
      path: "/",
      headers: {
        "apns-priority": ["7", "7"],
        authorization: "",
        "apns-topic": "",
        "apns-id": "no",
        "apns-expiration": "no",
        "apns-push-type": "no",
        "apns-collapse-id": "c".repeat(65),
      },
      body: "x".repeat(5_000),
    };
    await using simulator = await startApnsSimulator();
    await using client = await connectTo(simulator);
    const answers: string[] = [];
    for (const [, repair] of repairs) {
      answers.push(reasonOf(await send(client, attempt)));
      attempt = { ...attempt, ...repair, headers: { ...attempt.headers, ...repair.headers } };
    }
    expect(answers).toEqual(repairs.map(([answer]) => answer));
    expect(reasonOf(await send(client, attempt))).toBe("200");
  });

  it("gets an apns-id of its own if it had none, and in the sandbox a unique id", async () => {
    await using simulator = await startApnsSimulator({ environment: "sandbox" });
    await using client = await connectTo(simulator);
    const { headers } = await client.push(TOKEN);
    expect(headers["apns-id"]).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(headers["apns-unique-id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(simulator.ledger.pushesTo(TOKEN)[0]?.apnsId).toBe(headers["apns-id"]);
  });
});
