import {
  aModule,
  aToken,
  ManualClock,
  openServerDouble,
  startProsody,
  type TestProsody,
} from "@reveille/testkit";
import { type PushEvent, type Verdict, type Wakeup } from "@reveille/wakeup";
import { describe, expect, it, vi } from "vitest";

import { type Ingress, type IngressOptions, startIngress } from "./index.ts";

interface Rig extends AsyncDisposable {
  readonly ingress: Ingress;
  readonly clock: ManualClock;
  readonly events: PushEvent[];
  readonly added: (readonly Wakeup[])[];
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
  });
  return { ingress, clock, events, added, [Symbol.asyncDispose]: async () => ingress[Symbol.asyncDispose]() };
}

const aServer = (prosody: TestProsody) =>
  openServerDouble({ port: prosody.port, domain: "server.localhost", secret: prosody.secret });

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
});
