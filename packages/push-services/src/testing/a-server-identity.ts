import { execFileSync } from "node:child_process";

/** A self-signed certificate for that host name with its key, as PEM. Needs openssl. */
export function aServerIdentity(name: string): { readonly key: string; readonly cert: string } {
  const output = execFileSync(
    "openssl",
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=${name} -addext subjectAltName=DNS:${name} -keyout -`.split(
      " ",
    ),
    { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
  );
  const at = output.indexOf("-----BEGIN CERTIFICATE-----");
  return { key: output.slice(0, at), cert: output.slice(at) };
}
