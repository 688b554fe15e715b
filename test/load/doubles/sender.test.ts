import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

import { describe, expect, it, vi } from "vitest";

import { Bench } from "../bench.ts";
import { type Driver, inFlightOf, journalOf, markOf } from "../driver.ts";
import { Histogram } from "../histogram.ts";
import { ACCEPTED } from "../load-loop.ts";
import { portOf } from "../ports.ts";

const SECRET = "component secret";
const settings = { domain: "push.example.net", secret: SECRET, module: "monalProdiOS" };

const aSender = (bench: Bench): Driver =>
  bench.driver({ name: "sender", file: new URL("sender.ts", import.meta.url), settings });

/** The least that is a component: makes the handshake, then hands over every publish with its id. */
async function aComponent(sender: Driver, secret: string, onPublish: (socket: Socket, id: string) => void) {
  const socket = connect(portOf(await sender.ready), "127.0.0.1");
  const text: string[] = [];
  let rest = "";
  socket.write("<stream:stream xmlns='jabber:component:accept' to='push.example.net'>");
  socket.on("data", (chunk) => {
    text.push(chunk.toString());
    const stream = /id='(\w+)' from/.exec(text[0] ?? "")?.[1] ?? "";
    const digest = createHash("sha1")
      .update(stream + secret)
      .digest("hex");
    if (text.length === 1) socket.write(`<handshake>${digest}</handshake>`);
    rest += chunk.toString();
    for (const [tag, id = ""] of rest.matchAll(/<iq id='(\w{64})'/g)) {
      onPublish(socket, id);
      rest = rest.slice(rest.indexOf(tag) + tag.length);
    }
  });
  await once(socket, "connect");
  return { socket, text };
}

const accept = (socket: Socket, id: string): void => {
  socket.write(`<iq type='result' id='${id}' from='push.example.net' to='s00.example'/>`);
};

describe("the sender", () => {
  it("counts results and errors, and measures them", async () => {
    await using bench = await Bench.open([]);
    const sender = aSender(bench);
    const refuse = (socket: Socket, id: string): void => {
      if (id.endsWith("3"))
        socket.write(
          `<iq type='error' id='${id}'><error type='wait'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
        );
      else accept(socket, id);
    };
    const { socket } = await aComponent(sender, SECRET, refuse);
    await sender.ask({ kind: "connected" });
    await sender.ask({ kind: "start", load: { mode: "rate", rate: 1_000 } });
    await vi.waitFor(async () => expect((await markOf(sender)).sent).toBeGreaterThan(100));
    await sender.ask({ kind: "stop" });
    await vi.waitFor(async () => expect(await inFlightOf(sender)).toBe(0));
    const { sent, answers } = await markOf(sender);
    const { accepted, intended } = await journalOf(sender);
    expect(answers[ACCEPTED]).toBe(accepted.filter((state) => state === 1).length);
    expect(answers[ACCEPTED]).toBe(sent - (answers["wait/bad-request"] ?? 0));
    expect(accepted[3]).toBe(0);
    expect(Math.abs((intended[0] ?? 0) - Date.now())).toBeLessThan(10_000);
    socket.destroy();
  });

  it("keeps a closed loop full and no fuller, with latencies of what came back", async () => {
    await using bench = await Bench.open([]);
    const sender = aSender(bench);
    const ids: string[] = [];
    const { socket } = await aComponent(sender, SECRET, (_, id) => ids.push(id));
    await sender.ask({ kind: "connected" });
    await sender.ask({ kind: "start", load: { mode: "saturation", inFlight: 200 } });
    await vi.waitFor(() => expect(ids).toHaveLength(200));
    for (const id of ids.slice(0, 50)) accept(socket, id);
    await vi.waitFor(() => expect(ids).toHaveLength(250));
    const { sent, latencies } = await markOf(sender);
    expect(sent).toBe(250);
    expect(new Histogram(latencies).size).toBe(50);
    socket.destroy();
  });

  it("routes a component's ping to itself back to it", async () => {
    await using bench = await Bench.open([]);
    const sender = aSender(bench);
    const { socket, text } = await aComponent(sender, SECRET, () => undefined);
    const ping =
      "<iq type='get' id='p' from='push.example.net/health' to='push.example.net'><ping xmlns='urn:xmpp:ping'/></iq>";
    await sender.ask({ kind: "connected" });
    socket.write(ping);
    await vi.waitFor(() => expect(text.join("")).toContain(ping));
    socket.destroy();
  });

  it("closes its stream when the component does", async () => {
    await using bench = await Bench.open([]);
    const sender = aSender(bench);
    const { socket, text } = await aComponent(sender, SECRET, () => undefined);
    await sender.ask({ kind: "connected" });
    socket.write("</stream:stream>");
    await once(socket, "end");
    expect(text.join("")).toMatch(/<\/stream:stream>$/);
    socket.destroy();
  });

  it.each([
    ["a wrong secret", "wrong", "not-authorized"],
    ["a second component", SECRET, "conflict"],
  ])("refuses %s", async (_, secret, condition) => {
    await using bench = await Bench.open([]);
    const sender = aSender(bench);
    const first = await aComponent(sender, SECRET, () => undefined);
    await sender.ask({ kind: "connected" });
    const { socket, text } = await aComponent(sender, secret, () => undefined);
    await once(socket, "end");
    expect(text.join("")).toContain(`<${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>`);
    first.socket.destroy();
    socket.destroy();
  });
});
