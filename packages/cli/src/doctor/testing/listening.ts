import { type Server, type Socket } from "node:net";

/** A server that listens; disposing it cuts whoever is connected. */
export interface Listening extends AsyncDisposable {
  /** 0 if it listens at a path. */
  readonly port: number;
}

/** Listens at a free port of 127.0.0.1, or at the path of a Unix socket. */
export async function listening(server: Server, path?: string): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => {
    if (path === undefined) server.listen(0, "127.0.0.1", resolve);
    else server.listen(path, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
