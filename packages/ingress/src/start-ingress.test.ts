import { randomUUID } from "node:crypto";

import {
  aModule,
  aPublish,
  aToken,
  ManualClock,
  openServerDouble,
  type PublishParts,
  type ServerDouble,
  startProsody,
  type TestProsody,
} from "@reveille/testkit";
import { millis, type PushEvent, seconds, type Verdict, type Wakeup } from "@reveille/wakeup";
import { describe, expect, it, vi } from "vitest";

import { serverFixtures } from "./fixtures/index.ts";
import { type Ingress, type IngressOptions, startIngress } from "./index.ts";

interface Rig extends AsyncDisposable {
  readonly ingress: Ingress;
  readonly clock: ManualClock;
  readonly events: PushEvent[];
  readonly added: (readonly Wakeup[])[];
  /** States of the component, as told. */
  readonly states: () => readonly string[];
}

const NOW: Verdict = { kind: "now" };

async function anIngress(prosody: TestProsody, options: Partial<IngressOptions> = {}): Promise<Rig> {
  const clock = new ManualClock();
  const events: PushEvent[] = [];
  const added: (readonly Wakeup[])[] = [];
  const ingress = await startIngress({
    components: [{ service: prosody.service, domain: "push.localhost", secret: prosody.secret }],
    modules: { known: new Set([aModule()]), fallback: aModule() },
    admission: { decide: async (wakeups) => wakeups.map(() => NOW) },
    queue: { add: async (wakeups) => void added.push(wakeups) },
    clock,
    observe: (event) => void events.push(event),
    version: "1.2.3",
    ...options,
    // The clock stands still.
    limits: { ...options.limits, flushApart: millis(0) },
  });
  const states = () =>
    events.flatMap((event) => (event.kind === "component-state-changed" ? [event.state] : []));
  return {
    ingress,
    clock,
    events,
    added,
    states,
    [Symbol.asyncDispose]: async () => ingress[Symbol.asyncDispose](),
  };
}

const aServer = (prosody: TestProsody) =>
  openServerDouble({ port: prosody.port, domain: "server.localhost", secret: prosody.secret });

/** Lets seconds pass on the clock; in each the real front passes on whatever an ingress has sent, since it keeps the order. */
async function elapse(clock: ManualClock, count: number, server: ServerDouble): Promise<void> {
  for (let second = 0; second < count; second += 1) {
    await clock.advance(seconds(1));
    const id = `second-${randomUUID()}`;
    await server.ask(
      id,
      `<iq type='get' id='${id}' from='server.localhost' to='push.localhost'><ping xmlns='urn:xmpp:ping'/></iq>`,
    );
  }
}

const fixtures = serverFixtures.filter(({ expected }) => expected.from === "example.com");

describe("the ingress behind a Prosody", () => {
  it("queues a publish and accepts it", async () => {
    await using prosody = await startProsody();
    await using rig = await anIngress(prosody);
    await using server = await aServer(prosody);
    const reply = await server.publish({ node: aToken(), module: aModule(), body: "New Message!" });
    expect(reply).toMatchObject({ type: "result", from: "push.localhost", to: "server.localhost" });
    expect(rig.added).toEqual([
      [{ token: aToken(), module: aModule(), urgent: true, receivedAt: rig.clock.now() }],
    ]);
    await vi.waitFor(() =>
      expect(rig.ingress.health()).toEqual([
        { part: "component", health: { kind: "ready" } },
        { part: "intake", health: { kind: "ready" } },
      ]),
    );
  });

  it("answers each kind of publish by the contract", async () => {
    await using prosody = await startProsody();
    const verdicts = new Map<string, Verdict>([
      [aToken("later"), { kind: "later", after: seconds(20) }],
      [aToken("merged"), { kind: "merged" }],
      [aToken("dead"), { kind: "dead" }],
      [aToken("many"), { kind: "over-limit" }],
    ]);
    await using rig = await anIngress(prosody, {
      modules: { known: new Set([aModule()]) },
      admission: { decide: async (wakeups) => wakeups.map(({ token }) => verdicts.get(token) ?? NOW) },
    });
    await using server = await aServer(prosody);
    const content = { body: "canary-body", sender: "canary-sender@capulet.example/balcony" };
    const publish = async (node: string | undefined, parts: Partial<PublishParts> = {}) => {
      const { type, errorType, condition } = await server.publish({
        module: aModule(),
        ...content,
        ...parts,
        ...(node === undefined ? {} : { node }),
      });
      return type === "result" ? type : `${errorType}/${condition}`;
    };
    expect(await publish(aToken("first"))).toBe("result");
    expect(await publish(aToken("later"))).toBe("result");
    expect(await publish(aToken("merged"))).toBe("result");
    expect(await publish(aToken("dead"))).toBe("cancel/item-not-found");
    expect(await publish(aToken("many"))).toBe("wait/service-unavailable");
    expect(await publish("6F1C0D5E-0A6B-4E43-9D7A-2C1F3D1B7A55")).toBe("cancel/item-not-found");
    expect(await publish(undefined)).toBe("wait/bad-request");
    expect(await publish(aToken(), { module: "unknown" })).toBe("cancel/item-not-found");
    expect(await publish(aToken(), { from: "user@server.localhost" })).toBe("result");
    expect(await publish(aToken(), { from: "user@server.localhost/phone" })).toBe("cancel/not-allowed");
    expect(await publish(aToken(), { to: "x@push.localhost/y" })).toBe("result");
    expect(rig.added.flat()).toHaveLength(3);
    const received = server.received.join("");
    const repeated = [
      "<pubsub",
      "canary-",
      aModule(),
      aToken("first"),
      aToken("dead"),
      aToken("many"),
      aToken(),
    ];
    expect(repeated.filter((one) => received.includes(one))).toEqual([]);
  });

  it("answers what each server sends", async () => {
    await using prosody = await startProsody();
    await using rig = await anIngress(prosody);
    await using server = await aServer(prosody);
    for (const [index, { xml, name, expected }] of fixtures.entries()) {
      const routed = xml
        .replace("push.example.net", "push.localhost")
        .replace(/from=(['"])example\.com/, "from=$1server.localhost")
        .replace(`'${expected.id}'`, `'${index}'`)
        .replace(`"${expected.id}"`, `"${index}"`);
      const type = expected.node === undefined ? "error" : "result";
      expect([name, await server.ask(String(index), routed)]).toMatchObject([name, { type }]);
    }
    expect(rig.added.flat()).toHaveLength(fixtures.length - 1);
  });

  it("answers queries, refuses other IQs, and ignores the rest", async () => {
    await using prosody = await startProsody();
    await using rig = await anIngress(prosody);
    await using server = await aServer(prosody);
    const get = async (id: string, child: string, type = "get") =>
      server.ask(
        id,
        `<iq type='${type}' id='${id}' from='server.localhost' to='push.localhost'>${child}</iq>`,
      );
    expect((await get("1", "<query xmlns='http://jabber.org/protocol/disco#info'/>")).xml).toContain(
      "type='push'",
    );
    expect((await get("2", "<ping xmlns='urn:xmpp:ping'/>")).type).toBe("result");
    expect((await get("3", "<query xmlns='jabber:iq:version'/>")).xml).toContain("1.2.3");
    expect(await get("4", "<vCard xmlns='vcard-temp'/>")).toMatchObject({
      errorType: "cancel",
      condition: "service-unavailable",
    });
    expect(
      await get("5", "<pubsub xmlns='http://jabber.org/protocol/pubsub'><create/></pubsub>", "set"),
    ).toMatchObject({
      condition: "service-unavailable",
    });
    server.send("<message from='server.localhost' to='push.localhost'><body>hello</body></message>");
    server.send("<presence from='server.localhost' to='push.localhost'/>");
    server.send("<iq type='result' id='6' from='server.localhost' to='push.localhost'/>");
    server.send(
      "<iq type='error' id='7' from='server.localhost' to='push.localhost'><error type='cancel'/></iq>",
    );
    await get("8", "<ping xmlns='urn:xmpp:ping'/>");
    expect(server.replies.map(({ id }) => id)).toEqual(["1", "2", "3", "4", "5", "8"]);
    const ignored = rig.events.flatMap((event) => (event.kind === "stanza-ignored" ? [event.stanza] : []));
    expect(ignored).toEqual(["message", "presence", "iq", "iq"]);
  });

  it("tells an account about its own domain when it runs the ad-hoc command, and counts nothing of it", async () => {
    await using prosody = await startProsody({
      components: ["push.localhost", "server.localhost", "other.localhost"],
    });
    await using rig = await anIngress(prosody);
    await using server = await aServer(prosody);
    await using other = await openServerDouble({
      port: prosody.port,
      domain: "other.localhost",
      secret: prosody.secret,
    });
    for (let number = 0; number < 12; number += 1)
      await server.publish({ node: aToken(number), module: aModule() });
    await server.publish({ node: "no token", module: aModule() });
    const run = async (asking: typeof server, from: string) =>
      asking.ask(
        from,
        `<iq type='set' id='${from}' from='${from}' to='push.localhost'><command xmlns='http://jabber.org/protocol/commands' node='status' action='execute'/></iq>`,
      );
    const toServer = await run(server, "server.localhost");
    expect(toServer).toMatchObject({ type: "result", from: "push.localhost", to: "server.localhost" });
    expect(toServer.xml).toContain("<title>Push notifications of server.localhost</title>");
    const figure = ({ xml }: typeof toServer, result: string): string | undefined =>
      new RegExp(`var=["']result-${result}["'][^>]*><value>([^<]*)<`).exec(xml)?.[1];
    expect(figure(toServer, "queued")).toBe("12");
    expect(figure(toServer, "no-device-token")).toBe("1");
    const toAccount = await run(server, "admin@server.localhost/phone");
    expect(figure(toAccount, "queued")).toBe("10 or more");
    expect(figure(toAccount, "no-device-token")).toBe("fewer than 10");
    expect(figure(await run(other, "other.localhost"), "queued")).toBe("0");
    const commands = rig.events.filter(
      (event) => event.kind === "query-answered" && event.query === "command",
    );
    expect(commands).toHaveLength(3);
    expect(rig.events.filter(({ kind }) => kind === "publish-answered")).toHaveLength(13);
  });

  it("stands by while another ingress has the place, saying so once, and takes it when that one is gone", async () => {
    await using prosody = await startProsody();
    const first = await anIngress(prosody);
    await using second = await anIngress(prosody);
    await using server = await aServer(prosody);
    expect(second.states()).toEqual(["connecting", "standby"]);
    expect(second.ingress.health()[0]?.health).toEqual({ kind: "ready" });
    await elapse(second.clock, 10, server);
    expect(second.states()).toEqual(["connecting", "standby"]);
    expect(first.states()).toEqual(["connecting", "active"]);
    await first.ingress[Symbol.asyncDispose]();
    await vi.waitFor(async () => {
      await second.clock.advance(seconds(2));
      expect(second.states()).toEqual(["connecting", "standby", "active"]);
    });
    expect(await server.publish({ node: aToken(), module: aModule() })).toMatchObject({ type: "result" });
  });

  it("trusts whoever has its place only as long as that one shows signs of life", async () => {
    await using prosody = await startProsody();
    await using first = await anIngress(prosody);
    let alive = true;
    await using second = await anIngress(prosody, { isStoodInFor: () => alive });
    const component = () => second.ingress.health().find(({ part }) => part === "component")?.health;
    expect(component()).toEqual({ kind: "ready" });
    alive = false;
    expect(component()).toEqual({
      kind: "failing",
      because: "another ingress has the place and shows no sign of life",
    });
    expect([first, second].map(({ ingress }) => ingress.standsIn())).toEqual([false, false]);
  });

  it("shows the sign of life itself while it serves the front of another host", async () => {
    await using own = await startProsody();
    await using other = await startProsody();
    const components = [own, other].map(({ service, secret }) => ({
      service,
      domain: "push.localhost",
      secret,
    }));
    await using rig = await anIngress(own, { components });
    await vi.waitFor(() => expect(rig.ingress.standsIn()).toBe(true));
    await other.kill();
    await vi.waitFor(() => expect(rig.ingress.standsIn()).toBe(false));
  });

  it("gives the place at another host's front back to the ingress of that host", async () => {
    await using own = await startProsody();
    await using other = await startProsody();
    const components = [own, other].map(({ service, secret }) => ({
      service,
      domain: "push.localhost",
      secret,
    }));
    let isPlaceWanted = (): boolean => false;
    await using standIn = await anIngress(own, { components, isPlaceWanted: () => isPlaceWanted() });
    await vi.waitFor(() => expect(standIn.ingress.standsIn()).toBe(true));
    await using owner = await anIngress(other);
    isPlaceWanted = owner.ingress.wantsPlace;
    expect(isPlaceWanted()).toBe(true);
    await vi.waitFor(async () => {
      await standIn.clock.advance(seconds(1));
      await owner.clock.advance(seconds(1));
      expect([standIn.ingress.standsIn(), owner.ingress.wantsPlace()]).toEqual([false, false]);
      expect(owner.ingress.health()[0]?.health).toEqual({ kind: "ready" });
    });
    expect(standIn.ingress.health()[0]?.health).toEqual({ kind: "ready" });
  });

  it("leaves its place to another ingress when its own Redis stays away, answering all before", async () => {
    await using prosody = await startProsody();
    await using sick = await anIngress(prosody, {
      admission: { decide: async () => Promise.reject(new Error("ECONNREFUSED")) },
    });
    await using well = await anIngress(prosody);
    await using server = await aServer(prosody);
    const held = server.publish({ id: "held", node: aToken(1), module: aModule() });
    await vi.waitFor(() => expect(sick.ingress.held()).toBe(1));
    await elapse(sick.clock, 22, server);
    expect(await held).toMatchObject({ errorType: "wait", condition: "remote-server-timeout" });
    await vi.waitFor(() => expect(sick.states()).toEqual(["connecting", "active", "down"]));
    await well.clock.advance(seconds(2));
    await vi.waitFor(() => expect(well.states().at(-1)).toBe("active"));
    expect(await server.publish({ node: aToken(2), module: aModule() })).toMatchObject({ type: "result" });
    await elapse(sick.clock, 5, server);
    await vi.waitFor(() => expect(sick.states().at(-1)).toBe("standby"));
  });

  it("reconnects to a front that was restarted", async () => {
    await using prosody = await startProsody();
    await using rig = await anIngress(prosody);
    await prosody.restart();
    await vi.waitFor(() => expect(rig.states()).toEqual(["connecting", "active", "down"]));
    await vi.waitFor(async () => {
      await rig.clock.advance(seconds(1));
      expect(rig.states().at(-1)).toBe("active");
    });
    await using server = await aServer(prosody);
    expect(await server.publish({ node: aToken(), module: aModule() })).toMatchObject({ type: "result" });
  });

  it("answers all in hand when it is disposed, and tells later publishes to wait", async () => {
    await using prosody = await startProsody();
    const decided = Promise.withResolvers<undefined>();
    const rig = await anIngress(prosody, {
      admission: {
        decide: async (wakeups) => {
          await decided.promise;
          return wakeups.map(() => NOW);
        },
      },
    });
    await using server = await aServer(prosody);
    const inHand = server.publish({ id: "in hand", node: aToken(1), module: aModule() });
    await server.ask(
      "ping",
      "<iq type='get' id='ping' from='server.localhost' to='push.localhost'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    const disposed = rig.ingress[Symbol.asyncDispose]();
    expect(rig.ingress.health()).toContainEqual({ part: "intake", health: { kind: "draining" } });
    const late = await server.publish({ id: "late", node: aToken(2), module: aModule() });
    expect(late).toMatchObject({ errorType: "wait", condition: "remote-server-timeout" });
    decided.resolve(undefined);
    expect(await inHand).toMatchObject({ type: "result" });
    await disposed;
    expect(await server.publish({ node: aToken(3), module: aModule() })).toMatchObject({ errorType: "wait" });
    expect(prosody.log().some((line) => line.endsWith("Received </stream:stream>"))).toBe(true);
  });

  it("leaves no publish unanswered when it is disposed under load", async () => {
    await using prosody = await startProsody();
    await using server = await aServer(prosody);
    let sent = 0;
    const publish = (): void => {
      for (let burst = 0; burst < 4; burst += 1) {
        sent += 1;
        server.send(aPublish({ id: String(sent), node: aToken(sent), module: aModule() }));
      }
    };
    for (let round = 0; round < 5; round += 1) {
      const rig = await anIngress(prosody);
      const load = setInterval(publish, 2);
      await vi.waitFor(() => expect(rig.added.length).toBeGreaterThan(10));
      await rig.ingress[Symbol.asyncDispose]();
      clearInterval(load);
      await vi.waitFor(() => expect(new Set(server.replies.map(({ id }) => id)).size).toBe(sent));
    }
    expect(server.replies).toHaveLength(sent);
    expect(server.replies.every(({ type, errorType }) => type === "result" || errorType === "wait")).toBe(
      true,
    );
  });

  it("refuses a service that is no XMPP address", async () => {
    await using prosody = await startProsody();
    const components = [{ service: "127.0.0.1:5347", domain: "push.localhost", secret: prosody.secret }];
    await expect(anIngress(prosody, { components })).rejects.toThrow(
      "component service is not xmpp://host:port",
    );
  });

  it("tells publishes to wait while the Redis of the queue is nearly full, and lets nothing in", async () => {
    await using prosody = await startProsody();
    let full = true;
    await using rig = await anIngress(prosody, { isFull: () => full });
    await using server = await aServer(prosody);
    const publish = async () => server.publish({ to: "push.localhost", node: aToken() });
    expect(await publish()).toMatchObject({ type: "error", errorType: "wait" });
    expect(rig.added).toEqual([]);
    full = false;
    expect(await publish()).toMatchObject({ type: "result" });
    expect(rig.added).toHaveLength(1);
  });

  it("tells a domain that fills Redis to wait while that is nearly full, and no other", async () => {
    await using prosody = await startProsody();
    let [isNearlyFull, payer] = [false, "evil.example"];
    await using rig = await anIngress(prosody, { isNearlyFull: () => isNearlyFull, payerOf: () => payer });
    await using server = await aServer(prosody);
    const publish = async (seed: number) => server.publish({ to: "push.localhost", node: aToken(seed) });
    await Promise.all(Array.from({ length: 1_000 }, async (_, seed) => publish(seed)));
    isNearlyFull = true;
    expect(await publish(1)).toMatchObject({ errorType: "wait", condition: "service-unavailable" });
    payer = "good.example";
    expect(await publish(1)).toMatchObject({ type: "result" });
    [isNearlyFull, payer] = [false, "evil.example"];
    expect(await publish(2)).toMatchObject({ type: "result" });
    expect(rig.added.flat()).toHaveLength(1_002);
  });

  it("answers queries of a domain that asks too much with wait, each once, also of one that is blocked", async () => {
    await using prosody = await startProsody();
    let left = 2;
    await using rig = await anIngress(prosody, {
      refusesQuery: () => (left -= 1) < 0,
      refusal: () => "blocked",
    });
    await using server = await aServer(prosody);
    const ask = async (id: string) =>
      server.ask(
        id,
        `<iq type='get' id='${id}' from='server.localhost' to='push.localhost'><ping xmlns='urn:xmpp:ping'/></iq>`,
      );
    expect(await ask("1")).toMatchObject({ type: "result" });
    expect(await ask("2")).toMatchObject({ type: "result" });
    const refused = { type: "error", errorType: "wait", condition: "service-unavailable" };
    expect(await ask("3")).toMatchObject(refused);
    expect(await ask("4")).toMatchObject(refused);
    // What is a publish has limits of its own.
    expect(await server.publish({ to: "push.localhost", node: aToken() })).toMatchObject({
      errorType: "cancel",
    });
    expect(server.replies).toHaveLength(5);
    const asked = rig.events.flatMap((event) => (event.kind === "query-answered" ? [event.query] : []));
    // The first is our own ping through the front, which has no limit.
    expect(asked).toEqual(["ping", "ping", "ping", "over-limit", "over-limit"]);
  });
});
