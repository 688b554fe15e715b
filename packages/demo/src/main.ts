import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

import { introduce } from "./introduce.ts";
import { openRunFolder } from "./run-folder.ts";
import { openScene, type Scene } from "./scene.ts";
import { startRegion } from "./start-region.ts";
import { stopAsked } from "./stop-asked.ts";
import { timelineJson, timelineText } from "./timeline.ts";

const HELP = `npm start                     run a region on this machine and send messages to a sleeping device
npm start -- --once           send one message, show what became of it, and stop
npm start -- --once --json    the same as one JSON object on standard output
`;

interface Wishes {
  readonly once: boolean;
  readonly json: boolean;
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const explain = (text: string): void => void process.stderr.write(`${text}\n`);

/** Runs a region. Throws with the reason when a step fails, a part ends by itself, or `stop` comes too early. */
async function run({ once, json }: Wishes, stop: Promise<string>): Promise<void> {
  const tell = json ? explain : print;
  tell("Starting a region on this machine …");
  const startedAt = Date.now();
  // If we are to stop meanwhile, there is nothing to drain: we end, and the kernel ends what has been started.
  await using region = await Promise.race([
    startRegion({ folder: await openRunFolder(), front: "reveille" }),
    interruptedBy(stop),
  ]);
  tell(introduce(region, Date.now() - startedAt));

  const broken = region.ended.then((how) => {
    throw new Error(`${how}; see the logs in ${region.logFolder}`);
  });
  const interrupted = Promise.race([broken, interruptedBy(stop)]);
  await using scene = await Promise.race([openScene(region), interrupted]);
  const trace = await Promise.race([scene.write(), interrupted]);
  print(json ? timelineJson(trace) : `${timelineText(trace)}\n`);
  if (once) return;

  print("Enter: another message   Ctrl-C: stop\n");
  await Promise.race([stop, broken, writeOnEnter(scene)]);
  print("Stopping …");
}

async function interruptedBy(stop: Promise<string>): Promise<never> {
  throw new Error(`interrupted by ${await stop}`);
}

/** Rejects when a message does not get through; never resolves. */
async function writeOnEnter(scene: Scene): Promise<never> {
  const failed = Promise.withResolvers<never>();
  createInterface({ input: process.stdin }).on("line", () => {
    writeOnce(scene).catch(failed.reject);
  });
  return failed.promise;
}

async function writeOnce(scene: Scene): Promise<void> {
  const trace = await scene.write();
  print(`${timelineText(trace)}\n`);
  if (trace.admitted.verdict !== "later") return;
  print("  The phone has had a push in this window. One more, at its end, covers what comes until then.\n");
  await scene.anotherPush();
  print(`  APNs accepted it ${((Date.now() - trace.sentAt) / 1_000).toFixed(1)} s after the message.\n`);
}

/** `undefined`: the arguments are not ours to understand, or ask for help. */
function wishesIn(args: string[]): Wishes | undefined {
  const flag = { type: "boolean", default: false } as const;
  try {
    const { values } = parseArgs({ args, options: { once: flag, json: flag, help: flag } });
    if (values.help) return undefined;
    // One JSON object is one push.
    return { once: values.once || values.json, json: values.json };
  } catch {
    return undefined;
  }
}

const args = process.argv.slice(2);
const wishes = wishesIn(args);
if (wishes === undefined) {
  explain(HELP);
  process.exit(args.includes("--help") ? 0 : 1);
}
try {
  await run(wishes, stopAsked());
  // Open sockets of the chat client and standard input would keep us here.
  process.exit(0);
} catch (error) {
  explain(`npm start failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
