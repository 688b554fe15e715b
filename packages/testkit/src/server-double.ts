import { hash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

import { aPublish, type PublishParts } from "./publish.ts";
import { StanzaSplitter } from "./stanza-splitter.ts";

/** An answer to an IQ as it stood on the wire, and the parts tests look at. */
export interface WireReply {
  readonly id: string;
  readonly type: string;
  readonly from: string;
  readonly to: string;
  /** `wait`, `cancel` …; only of errors. */
  readonly errorType?: string;
  /** First child of `<error/>`, e.g. `item-not-found`; only of errors. */
  readonly condition?: string;
  readonly text?: string;
  readonly xml: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface ServerDoubleOptions {
  /** Where XEP-0114 is: a port of 127.0.0.1, or the path of a Unix socket that leads there. */
  readonly port: number | string;
  readonly domain: string;
  readonly secret: string;
}

/**
 * Plays a user's XMPP server: a second component of the front (XEP-0114), whose stanzas the front hands to ours
 * without s2s. Answers nothing itself.
 */
export interface ServerDouble extends AsyncDisposable {
  readonly domain: string;
  /** Every stanza that came, as it stood on the wire. */
  readonly received: readonly string[];
  /** Every IQ result and error that came, in order. */
  readonly replies: readonly WireReply[];
  readonly send: (xml: string) => void;
  /** Sends an IQ and gives the reply with its id. Rejects after `withinMs` (a minute unless told). */
  readonly ask: (id: string, iq: string, withinMs?: number) => Promise<WireReply>;
  /** A publish from this domain with an id of its own, and its reply. */
  readonly publish: (parts?: Partial<PublishParts>) => Promise<WireReply>;
}

/** Resolves when the front has accepted the handshake; throws with the front's stream error otherwise. */
export async function openServerDouble(options: ServerDoubleOptions): Promise<ServerDouble> {
  const { port } = options;
  const socket = typeof port === "string" ? connect(port) : connect(port, "127.0.0.1");
  await once(socket, "connect");
  const received: string[] = [];
  const replies: WireReply[] = [];
  const waiting = new Map<string, (reply: WireReply) => void>();

  await handshake(socket, options, (xml) => {
    received.push(xml);
    const reply = replyOf(xml);
    if (reply === undefined) return;
    replies.push(reply);
    waiting.get(reply.id)?.(reply);
    waiting.delete(reply.id);
  });

  const send = (xml: string): void => void socket.write(xml);
  const ask = async (id: string, iq: string, withinMs = 60_000): Promise<WireReply> => {
    const { promise, resolve, reject } = Promise.withResolvers<WireReply>();
    waiting.set(id, resolve);
    const timer = setTimeout(() => reject(new Error(`no reply to ${id} within ${withinMs} ms`)), withinMs);
    send(iq);
    return promise.finally(() => clearTimeout(timer));
  };

  return {
    domain: options.domain,
    received,
    replies,
    send,
    ask,
    publish: async (parts = {}) => {
      const id = parts.id ?? randomUUID();
      return ask(id, aPublish({ from: options.domain, ...parts, id }));
    },
    [Symbol.asyncDispose]: async () => {
      if (socket.destroyed) return;
      const closed = once(socket, "close");
      socket.end("</stream:stream>");
      socket.destroySoon();
      await closed;
    },
  };
}

async function handshake(
  socket: Socket,
  options: ServerDoubleOptions,
  onStanza: (xml: string) => void,
): Promise<void> {
  const accepted = Promise.withResolvers<undefined>();
  const splitter = new StanzaSplitter({
    onOpen: (header) => {
      const digest = hash("sha1", `${attributeOf(header, "id") ?? ""}${options.secret}`, "hex");
      socket.write(`<handshake>${digest}</handshake>`);
    },
    onStanza: (xml) => {
      if (xml.startsWith("<handshake")) accepted.resolve(undefined);
      else if (xml.startsWith("<stream:error")) accepted.reject(new Error(`stream error: ${xml}`));
      else onStanza(xml);
    },
  });
  socket.setEncoding("utf8");
  socket.on("data", (chunk) => splitter.write(chunk.toString()));
  socket.on("error", (error) => accepted.reject(error));
  socket.once("close", () => accepted.reject(new Error("the front closed the stream")));
  socket.write(
    `<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' ` +
      `xmlns:stream='http://etherx.jabber.org/streams' to='${options.domain}'>`,
  );
  await accepted.promise;
}

function replyOf(xml: string): WireReply | undefined {
  const head = /^<iq[^>]*>/.exec(xml)?.[0];
  if (head === undefined) return undefined;
  const type = attributeOf(head, "type");
  if (type !== "result" && type !== "error") return undefined;
  const error = /<error[^>]*>\s*<([a-z-]+)/.exec(xml);
  const errorType = error === null ? undefined : attributeOf(error[0], "type");
  const condition = error?.[1];
  const text = /<text[^>]*>([^<]*)<\/text>/.exec(xml)?.[1];
  return {
    id: attributeOf(head, "id") ?? "",
    type,
    from: attributeOf(head, "from") ?? "",
    to: attributeOf(head, "to") ?? "",
    ...(errorType === undefined ? {} : { errorType }),
    ...(condition === undefined ? {} : { condition }),
    ...(text === undefined ? {} : { text }),
    xml,
    at: Date.now(),
  };
}

const CHARACTERS: Readonly<Record<string, string>> = {
  "&lt;": "<",
  "&gt;": ">",
  "&amp;": "&",
  "&apos;": "'",
  "&quot;": '"',
};

function attributeOf(tag: string, name: string): string | undefined {
  const match = new RegExp(`\\s${name}=(?:'([^']*)'|"([^"]*)")`).exec(tag);
  return (match?.[1] ?? match?.[2])?.replaceAll(/&[a-z]+;/g, (entity) => CHARACTERS[entity] ?? entity);
}
