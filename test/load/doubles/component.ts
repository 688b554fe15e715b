import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";

import { serveDriver, settingsOf } from "../serve-driver.ts";

/** An ingress that says yes to every publish and reads nothing of it but its addresses. */
interface Settings {
  readonly hostname: string;
  readonly port: number;
  readonly secret: string;
}

const isSettings = (value: unknown): value is Settings =>
  typeof value === "object" && value !== null && "hostname" in value && "port" in value && "secret" in value;

const { hostname, port, secret } = settingsOf(isSettings);
const socket = connect({ host: "127.0.0.1", port, noDelay: true });
await once(socket, "connect");
socket.write(
  `<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='${hostname}'>`,
);
let text = "";
let isActive = false;
socket.on("data", (bytes: Buffer) => {
  text += bytes.toString("latin1");
  if (isActive) answerAll();
  else greet();
});
const active = Promise.withResolvers<undefined>();

function greet(): void {
  const [, id] = /<stream:stream[^>]* id=['"]([^'"]*)/.exec(text) ?? [];
  if (text.includes("<handshake")) {
    [isActive, text] = [true, ""];
    active.resolve(undefined);
  } else if (id !== undefined) {
    text = "";
    socket.write(
      `<handshake>${createHash("sha1")
        .update(id + secret)
        .digest("hex")}</handshake>`,
    );
  }
}

function answerAll(): void {
  let answers = "";
  let at = 0;
  for (;;) {
    const end = text.indexOf("</iq>", at);
    if (end === -1) break;
    const tag = text.slice(text.indexOf("<iq", at), text.indexOf(">", at));
    const valueOf = (name: string): string => new RegExp(` ${name}=['"]([^'"]*)`).exec(tag)?.[1] ?? "";
    answers += `<iq type='result' id='${valueOf("id")}' from='${hostname}' to='${valueOf("from")}'/>`;
    at = end + "</iq>".length;
  }
  text = text.slice(at);
  if (answers !== "") socket.write(answers);
}

serveDriver(
  {},
  async (question) => (question.kind === "connected" ? active.promise : undefined),
  async () => void socket.destroy(),
);
