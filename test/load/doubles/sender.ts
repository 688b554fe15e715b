import { randomBytes } from "node:crypto";

import { loadClock, ServedLoop, serveDriver, settingsOf } from "../serve-driver.ts";
import { startFront } from "./front.ts";
import { PublishWriter } from "./publishes.ts";
import { ReplyReader } from "./reply-reader.ts";

/** The sender's process: a front with many users' servers behind it, all of which publish. */
interface Settings {
  readonly domain: string;
  readonly secret: string;
  readonly module: string;
}

const isSettings = (value: unknown): value is Settings =>
  typeof value === "object" && value !== null && "domain" in value && "secret" in value && "module" in value;

const { domain, secret, module } = settingsOf(isSettings);
const mark = randomBytes(4).toString("hex");
const writer = new PublishWriter({ domain, module, mark });
const served = new ServedLoop((first, count) => front.write(writer.write(first, count)));

let now = 0;
const reader = new ReplyReader(mark, {
  replied: (index, answer) => served.loop.answered(index, answer, now),
  // A self-ping of the component: a front routes it back to its own domain.
  other: (stanza) => front.write(stanza),
});

const front = await startFront({
  domain,
  secret,
  read: (chunk) => {
    now = loadClock.monotonic();
    reader.read(chunk);
    served.pump();
  },
  lost: () => process.stderr.write("the component left\n"),
});

serveDriver(
  { port: front.port },
  (question) => (question.kind === "connected" ? front.connected : served.answer(question)),
  async () => front[Symbol.asyncDispose](),
);
