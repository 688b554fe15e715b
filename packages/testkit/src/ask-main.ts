import { ask } from "./ask.ts";

// For `askInNetworkOf`: KIND HOST PORT.
const [kind = "", host = "", port] = process.argv.slice(2);
switch (kind) {
  case "connection":
  case "redis-ping":
  case "dns-query":
    await ask({ kind, at: { host, port: Number(port) } });
    break;
  default:
    throw new Error(`a question this program does not know: ${kind}`);
}
