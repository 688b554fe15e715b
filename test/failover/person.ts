import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface PersonOptions {
  /** Socket that leads to their server's port for clients. */
  readonly socket: string;
  readonly domain: string;
  readonly user: string;
  /** Hostname of the region. */
  readonly service: string;
  readonly token: string;
  readonly module: string;
}

const PASSWORD = "password";
const WITHIN = 15_000;

/** Makes an account (XEP-0077), registers a push in Monal's form (XEP-0357 §5) and goes to sleep. */
export async function registerPush(options: PersonOptions): Promise<void> {
  const { domain, user, service, token, module } = options;
  const socket = connect(options.socket);
  await once(socket, "connect");
  let heard = "";
  socket.setEncoding("utf8");
  socket.on("data", (text) => (heard += text.toString()));
  socket.on("error", () => undefined);

  const say = async (xml: string, answer: RegExp): Promise<void> => {
    heard = "";
    socket.write(xml);
    for (const end = Date.now() + WITHIN; !answer.test(heard); await sleep(5)) {
      if (Date.now() > end) throw new Error(`${domain} answers ${xml} with ${heard}`);
    }
  };
  const open =
    `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' ` +
    `to='${domain}' version='1.0'>`;
  await say(open, /<\/stream:features>/);
  await say(
    `<iq type='set' id='r' to='${domain}'><query xmlns='jabber:iq:register'><username>${user}</username>` +
      `<password>${PASSWORD}</password></query></iq>`,
    /id=['"]r['"][^>]*type=['"]result|type=['"]result['"][^>]*id=['"]r/,
  );
  const plain = Buffer.from(`\0${user}\0${PASSWORD}`).toString("base64");
  await say(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${plain}</auth>`, /<success/);
  await say(open, /<\/stream:features>/);
  await say(`<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>`, /<jid>/);
  await say(
    `<iq type='set' id='e'><enable xmlns='urn:xmpp:push:0' jid='${service}' node='${token}'>` +
      `<x xmlns='jabber:x:data' type='submit'><field type='hidden' var='FORM_TYPE'>` +
      `<value>http://jabber.org/protocol/pubsub#publish-options</value></field>` +
      `<field var='pushModule'><value>${module}</value></field></x></enable></iq>`,
    /type=['"]result/,
  );
  socket.end("</stream:stream>");
  await once(socket, "close");
}
