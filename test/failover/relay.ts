import { createServer, connect } from "node:net";

/** Makes TCP ports of another network namespace reachable as Unix sockets: `node relay.ts SOCKET=HOST:PORT …`. */
for (const order of process.argv.slice(2)) {
  const [socket = "", host = "", port = ""] = order.split(/[=:]/);
  createServer((near) => {
    const far = connect(Number(port), host);
    near.pipe(far).pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  }).listen(socket);
}
