import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

export interface FrontSettings {
  readonly domain: string;
  readonly secret: string;
  /** Called with what the component writes after its handshake. */
  readonly read: (chunk: Buffer) => void;
  /** The stream of the component ended. */
  readonly lost: () => void;
}

const END_OF_STREAM = "</stream:stream>";

/** Plays the part of a front that a component sees: listener, stream and handshake of XEP-0114. */
export interface Front extends AsyncDisposable {
  readonly port: number;
  /** Resolves when a component has made its handshake. */
  readonly connected: Promise<void>;
  /** Throws while no component is connected. */
  readonly write: (bytes: Buffer) => void;
}

/** Listens on the loopback; serves one component, and refuses a second with `conflict` as Prosody does. */
export async function startFront(settings: FrontSettings): Promise<Front> {
  const connected = Promise.withResolvers<undefined>();
  let component: Socket | undefined;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    // A component that is killed resets its connection; `close` follows and tells.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      sockets.delete(socket);
      if (component !== socket) return;
      component = undefined;
      settings.lost();
    });
    void admit(socket);
  });
  const admit = async (socket: Socket): Promise<void> => {
    const rest = await greet(socket, settings, () => component !== undefined);
    if (rest === undefined) return;
    component = socket;
    socket.on("data", (chunk) => {
      settings.read(chunk);
      // RFC 6120 §4.4: the other side closes its stream, too. The end tag is the last thing in a chunk.
      if (chunk.subarray(-END_OF_STREAM.length).toString("latin1") === END_OF_STREAM)
        socket.end(END_OF_STREAM);
    });
    connected.resolve(undefined);
    if (rest.length > 0) settings.read(rest);
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: portOf(server.address()),
    connected: connected.promise,
    write: (bytes) => {
      if (component === undefined) throw new Error("no component is connected");
      component.write(bytes);
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Resolves with what came after the handshake; with nothing when the component was refused. */
async function greet(
  socket: Socket,
  settings: FrontSettings,
  occupied: () => boolean,
): Promise<Buffer | undefined> {
  const stream = randomBytes(8).toString("hex");
  await headOf(socket, /<stream:stream[^>]*>/);
  socket.write(
    `<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' ` +
      `xmlns:stream='http://etherx.jabber.org/streams' id='${stream}' from='${settings.domain}'>`,
  );
  const { head, rest } = await headOf(socket, /<handshake[^>]*>[^<]*<\/handshake>/);
  const digest = createHash("sha1")
    .update(stream + settings.secret)
    .digest("hex");
  if (!head.includes(`>${digest}<`)) return refuse(socket, "not-authorized");
  if (occupied()) return refuse(socket, "conflict");
  socket.write("<handshake/>");
  return rest;
}

function refuse(socket: Socket, condition: string): undefined {
  socket.end(
    `<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>${END_OF_STREAM}`,
  );
}

/** Reads until `wanted` was seen; what follows it stays in `rest`. */
async function headOf(socket: Socket, wanted: RegExp): Promise<{ head: string; rest: Buffer }> {
  return new Promise((resolve) => {
    let text = "";
    const read = (chunk: Buffer): void => {
      text += chunk.toString("latin1");
      const found = wanted.exec(text);
      if (found === null) return;
      socket.off("data", read);
      const end = found.index + found[0].length;
      resolve({ head: text.slice(0, end), rest: Buffer.from(text.slice(end), "latin1") });
    };
    socket.on("data", read);
  });
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("the front has no port");
  return address.port;
}
