import { type Admission, openRegionSecret, redisAdmission } from "@reveille/admission";
import { openPushTest, openWakeupQueue, type OpenPushTest, type TestAnswer } from "@reveille/queue";
import { parseDuration, systemClock } from "@reveille/runtime";
import { millis, type Millis, type VerdictKind, type Wakeup } from "@reveille/wakeup";

import { admissionOptionsOf } from "../role/admission-options.ts";
import { print } from "../terminal/print.ts";
import { inWords, verdictInWords } from "../push-test/in-words.ts";
import { readToken } from "../terminal/read-token.ts";
import { testedModule } from "../push-test/tested-module.ts";
import { inRegion, type RegionAccess } from "../role/region.ts";
import { NODE } from "../role/role.ts";
import { type OperatorOptions } from "../role/operator-options.ts";

export interface PushTestOptions extends OperatorOptions {
  readonly module: string;
  readonly within: string;
}

/** `reveille push-test`: the way of every wakeup, from admission on, for one device, with its end in plain words. */
export async function runPushTest(options: PushTestOptions): Promise<void> {
  const within = parseDuration(options.within);
  if (within === undefined) throw new Error("--within must be a duration with a unit, such as 60s");
  await inRegion(options, async (region) => {
    const module = testedModule(options.module, region.config);
    const token = await readToken(process.stdin, module.tokens);
    const wakeup = { token, module: module.name, urgent: true, receivedAt: systemClock.now() };
    const { verdict, answers } = await push(wakeup, region, within);
    const last = answers.at(-1);
    const text = [verdictInWords(verdict), ...answers.map((answer) => inWords(answer, module.service))];
    if (last === undefined && verdict !== "dead") {
      text.push(
        `No worker has told anything within ${options.within}: see \`reveille queue status\` and \`reveille doctor\`.`,
      );
    }
    const delivered = last?.kind === "settled" && last.outcome.kind === "delivered";
    print({ module: module.name, verdict, delivered, answers, says: text }, text.join("\n"), options);
    if (!delivered) process.exitCode = 1;
  });
}

interface Pushed {
  readonly verdict: VerdictKind;
  readonly answers: readonly TestAnswer[];
}

async function push(
  asked: Wakeup,
  { config, redis, regionClock }: RegionAccess,
  within: Millis,
): Promise<Pushed> {
  const { region } = config;
  const clock = regionClock;
  const observe = (): void => undefined;
  const secret = await openRegionSecret(redis, region);
  await using queue = await openWakeupQueue({ redis, region, node: NODE, clock, observe });
  await using test = await openPushTest({ redis, region, secret, clock }, asked);
  const admission: Admission = redisAdmission(
    admissionOptionsOf({ config, current: () => config, observe, redis, secret, regionClock }),
  );
  const wakeup = { ...asked, receivedAt: clock.now() };
  const [verdict] = await admission.decide([wakeup]);
  if (verdict === undefined) throw new Error("admission has given no verdict");
  if (verdict.kind === "dead") return { verdict: "dead", answers: [] };
  if (verdict.kind === "now") await queue.add([wakeup]);
  return { verdict: verdict.kind, answers: await answersOf(test, within) };
}

/** All until one after which nothing follows, or until the time is over. */
async function answersOf(test: OpenPushTest, within: Millis): Promise<readonly TestAnswer[]> {
  const answers: TestAnswer[] = [];
  const until = systemClock.monotonic() + within;
  for (let left = within; left > 0; left = millis(Math.max(0, until - systemClock.monotonic()))) {
    const answer = await test.next(left);
    if (answer === undefined) break;
    answers.push(answer);
    if (answer.kind === "dropped" || answer.next !== "retry") break;
  }
  return answers;
}
