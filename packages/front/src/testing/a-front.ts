import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";

import { ManualClock } from "@reveille/testkit";
import { type FrontEvent, type Millis, seconds } from "@reveille/wakeup";

import { LIMITS } from "../limits.ts";
import { anyAddress } from "../s2s/address-rule.ts";
import { type NameResolver } from "../s2s/find-server.ts";
import { type Front, type FrontOptions, startFront } from "../start-front.ts";
import { type Authority, anAuthority } from "./certificates.ts";

export const HOSTNAME = "push.example";

const FRONT_CLOSE_STEP = seconds(1);

export interface FrontRig extends AsyncDisposable {
  readonly front: Front;
  readonly authority: Authority;
  readonly clock: ManualClock;
  readonly events: readonly FrontEvent[];
  readonly port: number;
  readonly directPort: number;
  /** After that a peer that could not be reached is tried again. */
  readonly retryAfter: Millis;
  /** Makes a domain known to DNS, at ports of 127.0.0.1, the best first. */
  readonly know: (domain: string, ...ports: readonly number[]) => void;
}

/** A front on ports of its own, with a clock of ours and a DNS that knows what it is told. */
export async function aFront(options: Partial<FrontOptions> = {}): Promise<FrontRig> {
  const authority = anAuthority();
  const clock = new ManualClock();
  const events: FrontEvent[] = [];
  const ports = new Map<string, readonly number[]>();
  const at = { host: "127.0.0.1", port: 0 };
  const front = await startFront({
    tls: {
      certificates: new Map([[HOSTNAME, authority.issue({ names: [HOSTNAME] })]]),
      authorities: [authority.certificate],
    },
    listen: { starttls: [at], direct: [at] },
    component: { ...at, secret: "component secret" },
    dialbackSecret: "dialback secret",
    clock,
    observe: (event) => void events.push(event),
    resolver: resolverOf(ports),
    isAllowed: anyAddress,
    ...options,
  });
  return {
    front,
    authority,
    clock,
    events,
    port: front.addresses.starttls[0]?.port ?? 0,
    directPort: front.addresses.direct[0]?.port ?? 0,
    retryAfter: LIMITS.outbound.retryAfter,
    know: (domain, ...at) => void ports.set(domain, at),
    [Symbol.asyncDispose]: async () => {
      const closed = front[Symbol.asyncDispose]();
      // Peers that do not close their streams are given up.
      for (let round = 0; round < 200; round += 1) {
        await clock.advance(FRONT_CLOSE_STEP);
        if (await Promise.race([closed.then(() => true), immediate()])) break;
      }
      await closed;
      authority[Symbol.dispose]();
    },
  };
}

const immediate = async (): Promise<boolean> => new Promise((resolve) => setImmediate(() => resolve(false)));

function resolverOf(ports: ReadonlyMap<string, readonly number[]>): NameResolver {
  const absent = (): never => {
    throw Object.assign(new Error("absent"), { code: "ENOTFOUND" });
  };
  return {
    resolveSrv: async (name) => {
      const [, domain] = /^_xmpp-server\._tcp\.(.*)$/.exec(name) ?? [];
      return (ports.get(domain ?? "") ?? absent()).map((port, priority) => ({
        name: "host.example",
        port,
        priority,
        weight: 0,
      }));
    },
    resolve4: async (name) => (name === "host.example" ? ["127.0.0.1"] : absent()),
    resolve6: async () => absent(),
  };
}

/** An ingress at the component listener that says what a test tells it to. */
export interface AComponent extends AsyncDisposable {
  readonly heard: () => string;
  readonly say: (xml: string) => void;
  /** Waits until a text has come so many times. */
  readonly hears: (text: string, times?: number) => Promise<void>;
  readonly isClosed: () => boolean;
}

export async function aComponent(
  front: Front,
  secret = "component secret",
  hostname = HOSTNAME,
): Promise<AComponent> {
  const socket = connect({ host: "127.0.0.1", port: front.addresses.component.port });
  let heard = "";
  let isClosed = false;
  let wake = (): void => undefined;
  socket.on("data", (bytes: Buffer) => {
    heard += bytes.toString();
    wake();
  });
  socket.on("error", () => undefined);
  socket.on("close", () => {
    isClosed = true;
    wake();
  });
  await once(socket, "connect");
  socket.write(
    `<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='${hostname}'>`,
  );
  const hears = async (text: string, times = 1): Promise<void> => {
    while (heard.split(text).length - 1 < times) {
      if (isClosed || heard.includes("<stream:error>"))
        throw new Error(`the front has closed; heard ${heard}`);
      await new Promise<void>((resolve) => void (wake = resolve));
    }
  };
  await hears(" id='");
  const [, id = ""] = / id='([^']*)'/.exec(heard) ?? [];
  socket.write(
    `<handshake>${createHash("sha1")
      .update(id + secret)
      .digest("hex")}</handshake>`,
  );
  await hears("<handshake/>");
  return {
    heard: () => heard,
    say: (xml) => void socket.write(xml),
    hears,
    isClosed: () => isClosed,
    [Symbol.asyncDispose]: async () => {
      socket.destroy();
      if (!isClosed) await once(socket, "close");
    },
  };
}
