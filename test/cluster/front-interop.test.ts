import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Resolver } from "node:dns/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { anyAddress, type Front, startFront } from "@reveille/front";
import { systemClock } from "@reveille/runtime";
import {
  ask,
  debianRoot,
  freePort,
  openServerDouble,
  Program,
  type WireReply,
  whyNoDebianRoot,
} from "@reveille/testkit";
import { type FrontEvent } from "@reveille/wakeup";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ALL_KINDS, type Kind, KINDS, makeCertificates } from "./interop/kinds.ts";
import { domainOf, type Sender, startSender, type Variant, VARIANTS } from "./interop/senders.ts";

const unable = await whyNoDebianRoot();
if (unable !== undefined) process.stdout.write(`interop: ejabberd and Debian 13 are skipped, ${unable}\n`);
const root =
  unable === undefined
    ? await debianRoot({
        suite: "trixie",
        packages: ["prosody", "prosody-modules", "lua-unbound", "dns-root-data", "ejabberd"],
      })
    : undefined;

/** Hostnames of the front, by the way in which DNS says that it is reached. */
const WAYS = {
  starttls: { record: "_xmpp-server", address: "127.0.0.1" },
  "direct-tls": { record: "_xmpps-server", address: "127.0.0.1" },
  "starttls-ipv6": { record: "_xmpp-server", address: "::1" },
  "direct-tls-ipv6": { record: "_xmpps-server", address: "::1" },
} as const;
type Way = keyof typeof WAYS;
const ALL_WAYS = Object.keys(WAYS).filter((name): name is Way => name in WAYS);
const hostnameOf = (way: Way): string => `${way}.push.example`;
/** ejabberd needs an /etc/hosts of its own. */
const isThere = ({ kind, debian }: Variant): boolean =>
  root !== undefined || (kind === "prosody" && debian === 12);
const SECRET = "secret of ingresses";
/** Servers tell their components of a refusal at once; one that never does is as good. */
const REFUSED_WITHIN = 15_000;
/** All cells ask at once, and each proof by dialback takes connections both ways. */
const ANSWERED_WITHIN = 40_000;

interface Cell {
  readonly variant: Variant;
  readonly kind: Kind;
  readonly way: Way;
}
const keyOf = ({ variant, kind, way }: Cell): string => `${variant.name} ${kind} ${way}`;

const stack = new AsyncDisposableStack();
const events: FrontEvent[] = [];
const replies = new Map<string, Promise<WireReply | undefined>>();
/** What each component of the front has been asked by. */
const seen = new Set<string>();
let front: Front;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "reveille-interop-"));
  stack.defer(async () => rm(folder, { recursive: true, force: true }));
  const variants = VARIANTS.filter(isThere);
  const certificates = await makeCertificates(folder, ALL_WAYS.map(hostnameOf), (kind) =>
    VARIANTS.map((variant) => domainOf(variant, kind)),
  );
  const [dnsPort, starttls, direct] = [await freePort(), await freePort(), await freePort()];
  const ports = new Map(
    await Promise.all(variants.map(async (variant) => [variant, await freePort()] as const)),
  );
  stack.use(await startDns(folder, dnsPort, recordsOf(ports, { starttls, direct })));
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  resolver.setServers([`127.0.0.1:${dnsPort}`]);
  const pem = async (file: string): Promise<string> => readFile(file, "utf8");
  const certificate = {
    cert: await pem(certificates.front.certificate),
    key: await pem(certificates.front.key),
  };
  const both = (port: number) => ["127.0.0.1", "::1"].map((host) => ({ host, port }));
  front = stack.use(
    await startFront({
      tls: {
        certificates: new Map(ALL_WAYS.map((way) => [hostnameOf(way), certificate])),
        authorities: [await pem(certificates.authority)],
      },
      listen: { starttls: both(starttls), direct: both(direct) },
      component: { host: "127.0.0.1", port: 0, secret: SECRET },
      dialbackSecret: "a secret of fronts",
      clock: systemClock,
      observe: (event) => void events.push(event),
      resolver,
      isAllowed: anyAddress,
      limits: { unprovenOfAddress: 1_000, lookUpsOfAddress: 1_000 },
    }),
  );
  for (const way of ALL_WAYS) stack.use(await answerAt(hostnameOf(way)));
  await Promise.all(
    variants.map(async (variant) => {
      const options = { variant, folder, dnsPort, s2sPort: ports.get(variant) ?? 0 };
      const sender = stack.use(
        await startSender({
          ...options,
          root: variant.debian === 13 ? root : undefined,
          authority: certificates.authority,
          certificates: certificates.senders,
        }),
      );
      publishFrom(variant, sender);
    }),
  );
});
afterAll(async () => stack.disposeAsync());

const NOTHING_ELSE =
  "--no-daemon --conf-file=/dev/null --no-resolv --no-hosts --pid-file= --listen-address=127.0.0.1 --bind-interfaces".split(
    " ",
  );

const startDns = async (folder: string, port: number, records: readonly string[]): Promise<Program> =>
  Program.start({
    name: "dns",
    command: "dnsmasq",
    args: [...NOTHING_ELSE, `--port=${port}`, "--local=/example/", ...records],
    logFile: join(folder, "dns.log"),
    debianPackage: "dnsmasq-base",
    ready: async () => ask({ kind: "dns-query", at: { port } }),
  });

const recordsOf = (
  ports: ReadonlyMap<Variant, number>,
  own: { readonly starttls: number; readonly direct: number },
): readonly string[] => [
  "--host-record=four.example,127.0.0.1",
  "--host-record=six.example,::1",
  ...ALL_WAYS.map((way) => {
    const { record, address } = WAYS[way];
    const [host, port] = [
      address === "::1" ? "six" : "four",
      record === "_xmpp-server" ? own.starttls : own.direct,
    ];
    return `--srv-host=${record}._tcp.${hostnameOf(way)},${host}.example,${port},0,0`;
  }),
  ...[...ports].flatMap(([variant, port]) =>
    ALL_KINDS.map(
      (kind) => `--srv-host=_xmpp-server._tcp.${domainOf(variant, kind)},four.example,${port},0,0`,
    ),
  ),
];

/** An ingress that says yes to everybody. */
async function answerAt(hostname: string): Promise<AsyncDisposable> {
  const component = await openServerDouble({
    port: front.addresses.component.port,
    domain: hostname,
    secret: SECRET,
  });
  let done = 0;
  const timer = setInterval(() => {
    for (const xml of component.received.slice(done)) {
      done += 1;
      const [, from = ""] = / from=['"]([^'"]*)/.exec(xml) ?? [];
      const [, id = ""] = / id=['"]([^'"]*)/.exec(xml) ?? [];
      seen.add(`${from} ${hostname}`);
      component.send(`<iq type='result' id='${id}' from='${hostname}' to='${from}'/>`);
    }
  }, 10);
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await component[Symbol.asyncDispose]();
    },
  };
}

/** One publish of each kind of domain over each way, all at once. */
function publishFrom(variant: Variant, { domains }: Sender): void {
  for (const kind of ALL_KINDS)
    for (const way of ALL_WAYS) {
      const [cell, from, to] = [keyOf({ variant, kind, way }), domainOf(variant, kind), hostnameOf(way)];
      const id = `${kind}-${way}`;
      const iq = `<iq type='set' id='${id}' from='${from}' to='${to}'><pubsub xmlns='http://jabber.org/protocol/pubsub'/></iq>`;
      replies.set(
        cell,
        domains
          .get(kind)
          ?.ask(id, iq, KINDS[kind].proof === "none" ? REFUSED_WITHIN : ANSWERED_WITHIN)
          .catch(() => undefined) ?? Promise.resolve(undefined),
      );
    }
}

const provenBy = (domain: string, direction: "in" | "out"): readonly string[] =>
  events.flatMap((event) =>
    event.kind === "peer-proven" && event.domain === domain && event.direction === direction
      ? [event.method]
      : [],
  );

const CELLS: readonly Cell[] = VARIANTS.flatMap((variant) =>
  ALL_KINDS.flatMap((kind) => ALL_WAYS.map((way) => ({ variant, kind, way }))),
);
const canRun = ({ variant }: Cell): boolean => isThere(variant);
const titleOf = (cell: Cell) => ({ ...cell, title: keyOf(cell) });

describe("a publish of a server", () => {
  it.each(CELLS.filter((cell) => canRun(cell) && KINDS[cell.kind].proof !== "none").map(titleOf))(
    "that can prove its domain is answered: $title",
    async (cell) => {
      const domain = domainOf(cell.variant, cell.kind);
      const reply = await replies.get(keyOf(cell));
      expect(reply?.xml).toMatch(/^<iq [^>]*type=['"]result/);
      expect(provenBy(domain, "in")).toContain(KINDS[cell.kind].proof);
      // With XEP-0288 no stream of ours is needed for replies.
      const isAsked = cell.variant.bidi && cell.kind === "both";
      expect(provenBy(domain, "out").length > 0).toBe(!isAsked);
    },
  );

  it.each(CELLS.filter((cell) => canRun(cell) && KINDS[cell.kind].proof === "none").map(titleOf))(
    "that cannot prove its domain is refused: $title",
    async (cell) => {
      const domain = domainOf(cell.variant, cell.kind);
      const reply = await replies.get(keyOf(cell));
      expect(reply?.type).not.toBe("result");
      expect(provenBy(domain, "in")).toEqual([]);
      expect(seen).not.toContain(`${domain} ${hostnameOf(cell.way)}`);
    },
  );
});
