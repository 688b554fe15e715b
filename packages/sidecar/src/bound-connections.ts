import { type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type Socket } from "node:net";

/**
 * Keeps a server to `most` connections. A new one beyond closes that which has waited longest for a request, so that a crowd
 * which asks nothing keeps nobody out; if all are being answered, the new one itself.
 */
export function boundConnections(server: Server, most: number): void {
  const open = new Set<Socket>();
  /** Those without a whole request, the longest first. */
  const idle = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    idle.add(socket);
    socket.once("close", () => {
      open.delete(socket);
      idle.delete(socket);
    });
    if (open.size <= most) return;
    const [longest] = idle;
    if (longest === undefined) return;
    open.delete(longest);
    idle.delete(longest);
    longest.destroy();
  });
  server.on("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
    idle.delete(socket);
    response.once("close", () => {
      if (open.has(socket)) idle.add(socket);
    });
  });
}
