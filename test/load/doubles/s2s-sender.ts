import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type TLSSocket } from "node:tls";

import { loadClock, ServedLoop, serveDriver, settingsOf } from "../serve-driver.ts";
import { INDEX_DIGITS } from "../tokens.ts";
import { ReplyReader } from "./reply-reader.ts";

/** Users' servers, one stream each: direct TLS, SASL EXTERNAL, replies on the same stream (XEP-0288). */
interface Settings {
  readonly hostname: string;
  readonly module: string;
  readonly port: number;
  readonly streams: number;
  /** Of the certificate for all of them. */
  readonly certificate: string;
  readonly key: string;
}

const isSettings = (value: unknown): value is Settings =>
  typeof value === "object" && value !== null && "hostname" in value && "streams" in value;

const settings = settingsOf(isSettings);
const { hostname, module, streams: count } = settings;
const identity = { cert: readFileSync(settings.certificate), key: readFileSync(settings.key) };
const mark = randomBytes(4).toString("hex");
const ID_DIGITS = 64;

/** As mod_cloud_notify of Prosody writes it, without an id and a token. */
const CONTENT =
  `<notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data' type='form'>` +
  `<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:push:summary</value></field>` +
  `<field var='message-count' type='text-single'><value>1</value></field>` +
  `<field var='pending-subscription-count' type='text-single'/><field var='last-message-sender' type='jid-single'/>` +
  `<field var='last-message-body' type='text-single'><value>New Message!</value></field></x></notification></item></publish>` +
  `<publish-options><x xmlns='jabber:x:data' type='submit'>` +
  `<field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#publish-options</value></field>` +
  `<field var='pushModule'><value>${module}</value></field></x></publish-options></pubsub></iq>`;

function publishOf(index: number, stream: number): string {
  const id = mark.padEnd(ID_DIGITS - INDEX_DIGITS, "0") + index.toString(16).padStart(INDEX_DIGITS, "0");
  return `<iq id='${id}' to='${hostname}' type='set' from='${domainOf(stream)}'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='${id}'><item>${CONTENT}`;
}

const domainOf = (stream: number): string => `d${stream}.users.example`;
const sockets: TLSSocket[] = [];

const served = new ServedLoop((first, many) => {
  const texts = new Map<number, string>();
  for (let index = first; index < first + many; index += 1) {
    const stream = index % count;
    texts.set(stream, (texts.get(stream) ?? "") + publishOf(index, stream));
  }
  for (const [stream, text] of texts) sockets[stream]?.write(text);
});

async function open(stream: number): Promise<void> {
  const ALPNProtocols = ["xmpp-server"];
  const options = { host: "127.0.0.1", port: settings.port, servername: hostname, ...identity };
  const socket = connect({ ...options, ALPNProtocols, rejectUnauthorized: false });
  socket.setNoDelay(true);
  await once(socket, "secureConnect");
  let heard = "";
  let wake = (): void => undefined;
  const listen = (bytes: Buffer): void => {
    heard += bytes.toString("latin1");
    wake();
  };
  socket.on("data", listen);
  const hears = async (text: RegExp): Promise<void> => {
    while (!text.test(heard)) await new Promise<void>((resolve) => void (wake = resolve));
    heard = "";
  };
  const header = `<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' from='${domainOf(stream)}' to='${hostname}' version='1.0'>`;
  socket.write(header);
  await hears(/EXTERNAL[^]*<\/stream:features>/);
  socket.write(
    "<bidi xmlns='urn:xmpp:bidi'/><auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>",
  );
  await hears(/<success/);
  socket.write(header);
  await hears(/<\/stream:features>|<stream:features\/>/);
  socket.off("data", listen);
  let now = 0;
  const reader = new ReplyReader(mark, {
    replied: (index, answer) => served.loop.answered(index, answer, now),
    other: () => undefined,
  });
  socket.on("data", (chunk: Buffer) => {
    now = loadClock.monotonic();
    reader.read(chunk);
    served.pump();
  });
  sockets[stream] = socket;
}

const AT_ONCE = 20;
async function openAll(): Promise<void> {
  for (let from = 0; from < count; from += AT_ONCE)
    await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, count - from) }, (_none, at) => open(from + at)),
    );
}
const opened = openAll();

serveDriver(
  {},
  async (question) => (question.kind === "connected" ? opened : served.answer(question)),
  async () => {
    for (const socket of sockets) socket.destroy();
  },
);
