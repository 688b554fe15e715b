import { aModule, aToken, ManualClock, openServerDouble, startProsody } from "@reveille/testkit";
import { seconds } from "@reveille/wakeup";
import { describe, expect, it, vi } from "vitest";

import { type HostileFront, startHostileFront } from "./fixtures/hostile-front.ts";
import { realClock } from "./fixtures/real-clock.ts";
import { readStanzas } from "./fixtures/read-stanzas.ts";
import { publishStanza } from "./publish-stanza.ts";
import { tryPublishes } from "./try-publishes.ts";

const TOKEN = aToken(1);
const STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas";

/** One publish to eu.push.example at this front, under way. */
function aTrial(front: Pick<HostileFront, "service" | "secret">, clock = new ManualClock()) {
  const stop = new AbortController();
  const component = { service: front.service, domain: "canary.example", secret: front.secret };
  const publishes = [{ to: "eu.push.example", node: TOKEN, module: aModule() }];
  const trial = { component, publishes, within: seconds(30), signal: stop.signal };
  return { clock, stop, answers: tryPublishes(trial, clock) };
}

/** Resolves with the id of the publish once the front has heard it. */
async function idAt(front: HostileFront): Promise<string> {
  return vi.waitFor(() => {
    const [, id] = /<iq type='set' id='([^']+)'/.exec(front.heard.at(-1) ?? "") ?? [];
    if (id === undefined) throw new Error("no publish yet");
    return id;
  });
}

const answer = (id: string, rest: string, from = "eu.push.example"): string =>
  `<iq id='${id}' from='${from}' to='canary.example' ${rest}`;

describe("a publish of a canary", () => {
  it("is read by an ingress as an urgent one without content", () => {
    const { stanzas } = readStanzas(
      publishStanza("1", "canary.example", { to: "eu.push.example", node: TOKEN, module: aModule() }),
    );
    expect(stanzas[0]).toMatchObject({ name: "iq", type: "set", from: "canary.example" });
    expect(stanzas[0]?.payload).toEqual({
      kind: "publish",
      node: TOKEN,
      module: aModule(),
      urgent: true,
      inClear: false,
    });
  });

  it("leaves the module out if it has none", () => {
    const { stanzas } = readStanzas(publishStanza("1", "c.example", { to: "eu.push.example", node: TOKEN }));
    expect(stanzas[0]?.payload).toMatchObject({ kind: "publish", module: undefined });
  });

  it.each([
    ["a result", "type='result'/>", { kind: "accepted" }],
    [
      "an error of type wait",
      `type='error'><error type='wait'><remote-server-timeout xmlns='${STANZAS}'/></error></iq>`,
      { kind: "later", condition: "remote-server-timeout" },
    ],
    [
      "an error of type cancel, after a text and the request itself",
      `type='error'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish/></pubsub><error type='cancel'><text xmlns='${STANZAS}'>no</text><item-not-found xmlns='${STANZAS}'/></error></iq>`,
      { kind: "forget", condition: "item-not-found" },
    ],
    ["an error that says nothing", "type='error'/>", { kind: "forget", condition: "undefined-condition" }],
    [
      "an error in words of its own",
      `type='error'><error type='modify'><s3cret-token/></error></iq>`,
      { kind: "forget", condition: "undefined-condition" },
    ],
  ])("that gets %s is told as that", async (_what, rest, expected) => {
    await using front = await startHostileFront();
    const { answers, clock } = aTrial(front);
    const id = await idAt(front);
    await clock.advance(seconds(2));
    front.say(answer(id, rest));
    expect(await answers).toEqual([{ took: seconds(2), ...expected }]);
    await vi.waitFor(() => expect(front.open()).toBe(0));
  });

  it("believes an answer from no other address, nor to another id", async () => {
    await using front = await startHostileFront();
    const { answers, clock } = aTrial(front);
    const id = await idAt(front);
    front.say(answer(id, "type='result'/>", "eu.evil.example"));
    front.say(answer(`${id}0`, "type='result'/>"));
    // Its refusal shows that everything before was read.
    front.say(
      "<iq type='get' id='after' from='a.example' to='canary.example'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    await vi.waitFor(() => expect(front.heard[0]).toContain("service-unavailable"));
    await clock.advance(seconds(30));
    expect(await answers).toEqual([{ kind: "none" }]);
  });

  it("that is unanswered when its time is over counts as that, not earlier", async () => {
    await using front = await startHostileFront();
    const { answers, clock } = aTrial(front);
    const id = await idAt(front);
    await clock.advance(seconds(29.9));
    front.say(answer(id, "type='result'/>"));
    expect(await answers).toEqual([{ kind: "accepted", took: seconds(29.9) }]);
  });

  it.each([
    ["refuses the secret", async () => startHostileFront(), "not-authorized", "wrong"],
    [
      "has another component in its place",
      async () =>
        startHostileFront({
          instead: () =>
            "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>",
        }),
      "conflict: another component has this domain",
      "s3cret",
    ],
  ])("says nothing of the hostname if the front %s", async (_what, start, because, secret) => {
    await using front = await start();
    const { answers } = aTrial({ service: front.service, secret });
    expect(await answers).toEqual([{ kind: "front-failed", because }]);
  });

  it("says nothing of the hostname if the front takes nobody, or goes away meanwhile", async () => {
    await using front = await startHostileFront();
    const { answers } = aTrial(front);
    await idAt(front);
    front.cut();
    expect(await answers).toEqual([{ kind: "front-failed", because: "connection closed" }]);
    const { service } = front;
    await front[Symbol.asyncDispose]();
    expect(await aTrial({ service, secret: "s3cret" }).answers).toEqual([
      { kind: "front-failed", because: "ECONNREFUSED" },
    ]);
  });

  it("is given up when the process is to stop", async () => {
    await using front = await startHostileFront();
    const { answers, stop } = aTrial(front);
    await idAt(front);
    stop.abort();
    expect(await answers).toEqual([{ kind: "front-failed", because: "the canary stops" }]);
    await vi.waitFor(() => expect(front.open()).toBe(0));
  });

  it("goes through a real front, which answers for hostnames that it does not reach", async () => {
    await using front = await startProsody({ components: ["eu.push.example", "canary.example"] });
    await using region = await openServerDouble({
      port: front.port,
      domain: "eu.push.example",
      secret: front.secret,
    });
    const component = { service: front.service, domain: "canary.example", secret: front.secret };
    const publishes = ["eu.push.example", "us.push.example"].map((to) => ({ to, node: TOKEN }));
    const answers = tryPublishes({ component, publishes, within: seconds(20) }, realClock);
    const asked = await vi.waitFor(() => {
      const [, id] = /id='(canary-[^']+)'/.exec(region.received.join("")) ?? [];
      if (id === undefined) throw new Error("no publish yet");
      return id;
    });
    region.send(`<iq type='result' id='${asked}' from='eu.push.example' to='canary.example'/>`);
    expect(await answers).toEqual([
      expect.objectContaining({ kind: "accepted" }),
      expect.objectContaining({ kind: "forget", condition: "not-allowed" }),
    ]);
  });
});
