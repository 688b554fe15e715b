import { describe, expect, it } from "vitest";

import { slotsOf as streamsOf } from "./front.ts";

const slotsOf = (components: Parameters<typeof streamsOf>[0]) =>
  streamsOf(components).map(({ name, isOwn }) => ({ name, isOwn }));

const at = (service: string, domain = "eu.push.example") => ({ service: `xmpp://${service}`, domain });

describe("the places of an ingress", () => {
  it("are at the own front, which comes first, and at those of other hosts", () => {
    expect(slotsOf([at("127.0.0.1:5347"), at("10.0.0.2:5347")])).toEqual([
      { name: "xmpp://127.0.0.1:5347", isOwn: true },
      { name: "xmpp://10.0.0.2:5347", isOwn: false },
    ]);
  });

  it("have names of their own with several hostnames at one port, as Prosody has it", () => {
    const [own, other] = ["127.0.0.1:5347", "10.0.0.2:5347"];
    const components = [at(own), at(own, "us.push.example"), at(other), at(other, "us.push.example")];
    expect(slotsOf(components)).toEqual([
      { name: "eu.push.example at xmpp://127.0.0.1:5347", isOwn: true },
      { name: "us.push.example at xmpp://127.0.0.1:5347", isOwn: true },
      { name: "eu.push.example at xmpp://10.0.0.2:5347", isOwn: false },
      { name: "us.push.example at xmpp://10.0.0.2:5347", isOwn: false },
    ]);
  });

  it("are as many as a component has connections, each with a name of its own", () => {
    expect(slotsOf([{ ...at("127.0.0.1:5347"), connections: 2 }])).toEqual([
      { name: "xmpp://127.0.0.1:5347", isOwn: true },
      { name: "xmpp://127.0.0.1:5347 (2)", isOwn: true },
    ]);
  });

  it("are all at the own front with a port for each hostname, as ejabberd has it", () => {
    const components = [at("127.0.0.1:5347"), at("127.0.0.1:5348", "us.push.example")];
    expect(slotsOf(components).map(({ isOwn }) => isOwn)).toEqual([true, true]);
  });

  it("at another port of the same address, with the same hostname, are another front", () => {
    expect(slotsOf([at("127.0.0.1:5347"), at("127.0.0.1:6347")]).map(({ isOwn }) => isOwn)).toEqual([
      true,
      false,
    ]);
  });
});
