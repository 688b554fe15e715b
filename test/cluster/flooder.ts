import { setTimeout as sleep } from "node:timers/promises";
import { parentPort } from "node:worker_threads";

import { aPublish, aToken, openServerDouble } from "@reveille/testkit";

/**
 * A domain that floods, in a thread of its own, so that its work delays nobody who measures. Arguments: port and secret
 * of the front, the domain, where it publishes to. A message sets the publishes per second; each is answered with how many
 * publishes have no reply yet.
 */
const [port = "", secret = "", domain = "", to = ""] = process.argv.slice(2);

const server = await openServerDouble({ port: Number(port), domain, secret });
let [rate, since, sent] = [0, performance.now(), 0];

let count = 0;

parentPort?.on("message", (wanted) => {
  [rate, since, sent] = [Number(wanted), performance.now(), 0];
  parentPort?.postMessage(count - server.replies.length);
});

for (; ; await sleep(1)) {
  for (; sent < ((performance.now() - since) * rate) / 1_000; sent += 1, count += 1) {
    server.send(
      aPublish({ id: `flood-${count}`, to, from: domain, node: aToken(count % 100), module: "monalProdiOS" }),
    );
  }
}
