import { readFileSync } from "node:fs";
import { getCACertificates, setDefaultCACertificates } from "node:tls";

import { type Client, type xml as makeXml, type XmlElement } from "@xmpp/client";

export interface Account {
  readonly user: string;
  readonly domain: string;
  readonly password: string;
  /** Port of the server for clients (STARTTLS), on 127.0.0.1. */
  readonly port: number;
}

export interface PushRegistration {
  /** Hostname of the region. */
  readonly service: string;
  /** The device token. */
  readonly node: string;
  /** Fields of publish-options; Monal sends `pushModule`. Left out: no form at all. */
  readonly options?: Readonly<Record<string, string>>;
}

/** A person's chat app, logged in at their own server. Disposing goes to sleep: the stream ends, messages wait offline. */
export interface ChatClient extends AsyncDisposable {
  /** Asks the server to publish on new messages (XEP-0357 §5), in Monal's form. */
  readonly enablePush: (registration: PushRegistration) => Promise<void>;
  /** Without a body: something a person doesn't see, here a receipt (XEP-0184). */
  readonly sendMessage: (to: string, body?: string) => Promise<void>;
  /** Nodes of the ad-hoc commands that `service` lists (XEP-0050 §2.2). */
  readonly commandsOf: (service: string) => Promise<readonly string[]>;
  /** Runs one of them; gives the values of the form that answers, by field. */
  readonly runCommand: (service: string, node: string) => Promise<Readonly<Record<string, string>>>;
}

const COMMANDS = "http://jabber.org/protocol/commands";

/** Lets TLS of this process accept what the test CA has signed, beside what it accepted before. */
export function trustAuthority(certificateFile: string): void {
  setDefaultCACertificates([...getCACertificates("default"), readFileSync(certificateFile, "utf8")]);
}

type Xml = typeof makeXml;

/** Resolves when the server has accepted the login and knows that we are available. */
export async function login(account: Account): Promise<ChatClient> {
  const { user, domain, password, port } = account;
  // Loaded here, since most users of the testkit never log in and it is large.
  const { client, xml } = await import("@xmpp/client");
  const connection = client({
    service: `xmpp://127.0.0.1:${port}`,
    domain,
    username: user,
    password,
    resource: "phone",
  });
  // A login that fails is a failed test; trying again every second would only hide why.
  connection.reconnect.stop();
  connection.on("error", () => undefined);
  await connection.start();
  await connection.send(xml("presence"));
  return {
    enablePush: async (registration) => enablePush(connection, xml, registration),
    sendMessage: async (to, body) => connection.send(messageOf(xml, to, body)),
    commandsOf: async (service) => commandsOf(connection, xml, service),
    runCommand: async (service, node) => runCommand(connection, xml, service, node),
    [Symbol.asyncDispose]: async () => void (await connection.stop()),
  };
}

async function enablePush(connection: Client, xml: Xml, registration: PushRegistration): Promise<void> {
  const { service, node, options } = registration;
  const form = options === undefined ? [] : [formOf(xml, options)];
  const enable = xml("enable", { xmlns: "urn:xmpp:push:0", jid: service, node }, ...form);
  await connection.iqCaller.request(xml("iq", { type: "set" }, enable));
}

function formOf(xml: Xml, options: Readonly<Record<string, string>>): XmlElement {
  const formType = xml("value", {}, "http://jabber.org/protocol/pubsub#publish-options");
  return xml(
    "x",
    { xmlns: "jabber:x:data", type: "submit" },
    xml("field", { type: "hidden", var: "FORM_TYPE" }, formType),
    ...Object.entries(options).map(([name, value]) => xml("field", { var: name }, xml("value", {}, value))),
  );
}

function messageOf(xml: Xml, to: string, body: string | undefined): XmlElement {
  const content =
    body === undefined ? xml("received", { xmlns: "urn:xmpp:receipts", id: "1" }) : xml("body", {}, body);
  return xml("message", { to, type: "chat" }, content);
}

async function commandsOf(connection: Client, xml: Xml, service: string): Promise<readonly string[]> {
  const query = xml("query", { xmlns: "http://jabber.org/protocol/disco#items", node: COMMANDS });
  const reply = await connection.iqCaller.request(xml("iq", { type: "get", to: service }, query));
  return (
    reply
      .getChild("query")
      ?.getChildren("item")
      .map(({ attrs }) => attrs["node"] ?? "") ?? []
  );
}

async function runCommand(
  connection: Client,
  xml: Xml,
  service: string,
  node: string,
): Promise<Readonly<Record<string, string>>> {
  const command = xml("command", { xmlns: COMMANDS, node, action: "execute" });
  const reply = await connection.iqCaller.request(xml("iq", { type: "set", to: service }, command));
  const fields = reply.getChild("command")?.getChild("x")?.getChildren("field") ?? [];
  return Object.fromEntries(
    fields.map((field) => [field.attrs["var"] ?? "", field.getChildText("value") ?? ""]),
  );
}
