// Sends to each token of the command line, by HTTP/1.1 and by HTTP/2: PORT CA ACCOUNT TOKEN... Prints each answer.
import { readFileSync } from "node:fs";
import http2 from "node:http2";
import { Agent } from "node:https";
import { connect } from "node:tls";

import { cert, deleteApp, initializeApp } from "firebase-admin/app";
import { getMessaging } from "firebase-admin/messaging";

const [port, ca, account, ...tokens] = process.argv.slice(2);
const simulator = { host: "localhost", servername: "localhost", port: Number(port), ca: readFileSync(ca) };

// Google's hosts are built in; each connection goes to the simulator instead.
Agent.prototype.createConnection = () => connect(simulator);
const { connect: connectHttp2 } = http2;
http2.connect = () => {
  const session = connectHttp2(`https://localhost:${port}`, { ca: simulator.ca });
  const request = session.request.bind(session);
  // firebase-admin writes `https:`, which Google accepts and Node's server refuses (RFC 3986 §3.1 has no colon in it).
  session.request = (headers) => request({ ...headers, ":scheme": "https" });
  return session;
};

const app = initializeApp({ credential: cert(JSON.parse(readFileSync(account, "utf8"))) });
const messaging = getMessaging(app);
const messages = tokens.map((token) => ({ token, data: { wake: "up" } }));
for (const message of messages) {
  const answer = await messaging.send(message).then(
    () => "200",
    (error) => error.code,
  );
  console.log(`send ${answer}`);
}
const { responses } = await messaging.sendEach(messages);
for (const { success, error } of responses) console.log(`sendEach ${success ? "200" : error.code}`);
await deleteApp(app);
