import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";

/** An HTTP proxy that tunnels (CONNECT), on a port of this machine. */
export interface TestProxy extends AsyncDisposable {
  readonly url: URL;
  /** Hosts that were asked for, in order. */
  readonly asked: readonly string[];
}

export interface ProxyOptions {
  /** Answered to whoever asks; 200 unless told. */
  readonly status?: number;
  /** `user:password` that it asks for; 407 to others. */
  readonly login?: string;
  /** The port of this machine where a host's connections really go; without one they go where they want to. */
  readonly portOf?: Readonly<Record<string, number>>;
}

/** Resolves when it listens. */
export async function startProxy({
  status = 200,
  login,
  portOf = {},
}: ProxyOptions = {}): Promise<TestProxy> {
  const asked: string[] = [];
  const server = createServer();
  server.on("connect", (request, socket) => {
    const [host = "", port = ""] = (request.url ?? "").split(":");
    asked.push(host);
    // A client that was refused may hang up before it has read all.
    socket.on("error", () => undefined);
    if (status !== 200) return void socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const given = request.headers["proxy-authorization"];
    if (login !== undefined && given !== `Basic ${Buffer.from(login).toString("base64")}`)
      return void socket.end("HTTP/1.1 407 No\r\n\r\n");
    const own = portOf[host];
    const far = connect(own ?? Number(port), own === undefined ? host : "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Yes\r\n\r\n");
      socket.pipe(far).pipe(socket);
    });
    far.on("error", () => socket.destroy());
    socket.on("error", () => far.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: new URL(`http://127.0.0.1:${address.port}`),
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
