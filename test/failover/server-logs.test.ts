import { aToken, until, whyNoDebianRoot } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { MODULE } from "../durability/push-path.ts";
import { debianRoots, DOMAIN, LOAD, type PairRegion, type Server, startPair } from "./matrix-region.ts";
import { whyNoNamespaces } from "./namespaces.ts";
import { registerPush } from "./person.ts";
import { HOSTNAME } from "./region.ts";
import { socketOf } from "./surroundings.ts";
import { askOverUnix } from "./unix-http.ts";

const unable = (await whyNoNamespaces()) ?? (await whyNoDebianRoot());
if (unable !== undefined) process.stdout.write(`logs of users' servers: skipped, ${unable}\n`);
const roots = unable === undefined ? await debianRoots() : { 12: undefined, 13: undefined };

interface Expected {
  readonly server: Server;
  /** What its module for push says of replies. */
  readonly says: readonly string[];
  /** Whether it publishes again for a registration that was refused for good. */
  readonly keeps: boolean;
}

const PROSODY = "for identifier '…': ";
const EJABBERD: Pick<Expected, "says" | "keeps"> = {
  says: [
    "[debug] eu.push.example accepted notification for …",
    "[warning] eu.push.example rejected notification for …, disabling push: The push module is not served here. (item-not-found) (cancel)",
    "[debug] eu.push.example accepted notification for …",
    "[info] eu.push.example rejected notification for … temporarily: Component unavailable (remote-server-timeout)",
  ],
  keeps: false,
};
/** As the tables in docs/xmpp-admins.md have it. */
const SERVERS: readonly Expected[] = [
  {
    server: "Prosody 0.12",
    says: [
      `info Got error <cancel:item-not-found:The push module is not served here.> ${PROSODY}error count for this identifier is now at 1`,
      `info Got error <cancel:item-not-found:The push module is not served here.> ${PROSODY}error count for this identifier is now at 2`,
      `debug Got error <wait:remote-server-timeout:Component unavailable> ${PROSODY}NOT increasing error count for this identifier`,
    ],
    keeps: true,
  },
  { server: "Prosody 13", says: [], keeps: true },
  { server: "ejabberd 23.01", ...EJABBERD },
  { server: "ejabberd 24.12", ...EJABBERD },
];

const linesOf = ({ sender }: PairRegion): readonly string[] => sender.program.lines.map(({ text }) => text);

/** What came back for publishes, however the server writes that at `debug`. */
const repliesIn = (lines: readonly string[]): number =>
  lines
    .flatMap((line) => [...line.matchAll(/(?:Received\[s2sin\]: |Received XML .*?)<iq ([^>]*)>/g)])
    .filter(([, attributes = ""]) => /type='(?:result|error)'/.test(attributes)).length;

/** The lines of the module that publishes, but those in which it says that it does so. */
const saidOf = (lines: readonly string[]): readonly string[] =>
  lines.flatMap((line) => {
    const prosody = /:cloud_notify\s+(\w+)\t((?!Invoking|Sending|Module loaded).*)/.exec(line);
    if (prosody !== null) return [`${prosody[1]} ${prosody[2]?.replace(/'[^']*'/, "'…'")}`];
    const ejabberd = /(\[\w+\] \S+ (?:accepted|rejected) notification for )\S+ \(\w+\)(.*)/.exec(line);
    return ejabberd === null ? [] : [`${ejabberd[1]}…${ejabberd[2]}`];
  });

async function register({ site }: PairRegion, user: string, module: string): Promise<void> {
  const phone = { user, module, token: aToken(user), service: HOSTNAME };
  await registerPush({ ...phone, socket: socketOf(site, "clients"), domain: DOMAIN });
}

/** Resolves when the server has had so many replies to publishes in all. */
async function write(region: PairRegion, users: readonly string[], replies: number): Promise<void> {
  for (const user of users) {
    const addresses = `from='${LOAD}' to='${user}@${DOMAIN}'`;
    region.load.send(`<message type='chat' ${addresses}><body>Are you there?</body></message>`);
  }
  const isDone = (): true | undefined => (repliesIn(linesOf(region)) === replies ? true : undefined);
  await until(isDone, { what: `${replies} replies`, withinMs: 20_000 });
}

/** Resolves when the module that publishes has said so many lines. */
async function logged(region: PairRegion, lines: number): Promise<void> {
  const isSaid = (): true | undefined => (saidOf(linesOf(region)).length >= lines ? true : undefined);
  await until(isSaid, { what: `${lines} lines`, withinMs: 20_000 });
}

/** Publishes that carried the sender's address or text in clear; the sidecar keeps what an ingress that has ended counted. */
async function inClear({ site }: PairRegion): Promise<number> {
  const { body } = await askOverUnix(socketOf(site, "sidecar"), "/metrics");
  const counts = [...body.matchAll(/^reveille_clear_content_total\{[^}]*\} (\d+)/gm)];
  return counts.length === 0 ? NaN : counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

describe.skipIf(unable !== undefined)("a users' server", { concurrent: true }, () => {
  it.each(SERVERS)(
    "$server publishes no content, says in its log what docs/xmpp-admins.md has, and keeps a refused registration: $keeps",
    async ({ server: sender, says, keeps }) => {
      const pair = { front: "Prosody 0.12", sender, bidi: false, roots, logLevel: "debug" } as const;
      await using region = await startPair(pair);
      await register(region, "good", MODULE);
      await register(region, "unknown", "noSuchModule");
      await write(region, ["good"], 1);
      await write(region, ["unknown"], 2);
      // It has heard the reply, and may not have acted on it: until it says so, it would publish again.
      await logged(region, says.findIndex((line) => line.includes("item-not-found")) + 1);
      // The second is published for in any case, and later.
      await write(region, ["unknown", "good"], keeps ? 4 : 3);
      await region.host.ingress.kill();
      await region.host.front.program.line((line) => line.includes("component disconnected: eu"), 10_000);
      await write(region, ["good"], keeps ? 5 : 4);
      await logged(region, says.length);
      expect(saidOf(linesOf(region))).toEqual(says);
      expect(await inClear(region)).toBe(0);
    },
  );
});
