import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";

export interface S2sPeerOptions {
  /** Of the front, for direct TLS (XEP-0368), on 127.0.0.1. */
  readonly port: number;
  /** Ours. */
  readonly domain: string;
  readonly to: string;
  readonly key: Buffer;
  readonly certificate: Buffer;
}

/** A user's server that is connected to a front, and writes stanzas as we say them, byte by byte. */
export interface S2sPeer extends Disposable {
  readonly socket: TLSSocket;
  readonly isOpen: () => boolean;
  /** What the front wrote, of late. */
  readonly heard: () => string;
  readonly send: (xml: string) => boolean;
}

const KEPT = 4_000;

/** Resolves when the front has let us in by our certificate (SASL EXTERNAL, XEP-0178); throws when it ends the stream. */
export async function openS2sPeer({ port, domain, to, key, certificate }: S2sPeerOptions): Promise<S2sPeer> {
  const options = {
    host: "127.0.0.1",
    port,
    servername: to,
    key,
    cert: certificate,
    rejectUnauthorized: false,
  };
  const socket = connect({ ...options, ALPNProtocols: ["xmpp-server"] });
  let heard = "";
  let isOpen = true;
  socket.setEncoding("utf8");
  socket.on("data", (data) => void (heard = `${heard}${data}`.slice(-KEPT)));
  socket.on("error", () => socket.destroy());
  socket.on("close", () => void (isOpen = false));
  const until = async (sign: string): Promise<void> => {
    while (!heard.includes(sign)) {
      if (!isOpen || heard.includes("</stream:stream>")) throw new Error(`no ${sign} but: ${heard}`);
      await Promise.race([once(socket, "data"), once(socket, "close")]);
    }
    heard = "";
  };
  const open = `<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' from='${domain}' to='${to}' version='1.0'>`;
  await once(socket, "secureConnect");
  socket.write(open);
  await until("EXTERNAL");
  socket.write("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>");
  await until("<success");
  socket.write(open);
  await until("</stream:features>").catch(async () => until("<stream:features/>"));
  return {
    socket,
    isOpen: () => isOpen && !heard.includes("</stream:stream>"),
    heard: () => heard,
    send: (xml) => socket.write(xml),
    [Symbol.dispose]: () => void socket.destroy(),
  };
}
