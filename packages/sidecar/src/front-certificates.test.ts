import { execFile } from "node:child_process";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";
import { promisify } from "node:util";

import { freePort, ManualClock } from "@reveille/testkit";
import { minutes, type PushEvent } from "@reveille/wakeup";
import { expect, it, vi } from "vitest";

import { watchFrontCertificates } from "./front-certificates.ts";
import { readinessOf } from "./readiness.ts";

const DAY = 86_400_000;

/** What a front shows to whoever asks for its hostname by direct TLS; valid for ten days. */
async function aFront(hostname: string) {
  const folder = await mkdtempDisposable(join(tmpdir(), "reveille-certificate-"));
  const [key, cert] = [join(folder.path, "key.pem"), join(folder.path, "cert.pem")];
  const request = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 10 -subj /CN=x -keyout ${key} -out ${cert}`;
  await promisify(execFile)("openssl", [...request.split(" "), "-addext", `subjectAltName=DNS:${hostname}`]);
  const server = createServer({ key: await readFile(key), cert: await readFile(cert) });
  server.on("tlsClientError", () => undefined);
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve));
      await folder[Symbol.asyncDispose]();
    },
  };
}

it("tells when the certificates that are served expire, and which fronts serve none for our name", async () => {
  await using good = await aFront("eu.push.example");
  await using stranger = await aFront("us.push.example");
  const nobody = await freePort();
  const events: PushEvent[] = [];
  const clock = new ManualClock(Date.now());
  const fronts = [good.port, stranger.port, nobody].map((port) => ({ host: "127.0.0.1", port }));
  const watching = watchFrontCertificates({
    fronts,
    domain: "eu.push.example",
    clock,
    observe: (event) => void events.push(event),
  });
  await vi.waitFor(() => expect(events).toHaveLength(3));
  const seen = (port: number) =>
    events.flatMap((event) =>
      event.kind === "front-certificate-seen" && event.front === `127.0.0.1:${port}` ? [event] : [],
    )[0];
  const daysLeft = (Number(seen(good.port)?.expiresAt) - Date.now()) / DAY;
  expect(daysLeft).toBeGreaterThan(9.9);
  expect(daysLeft).toBeLessThanOrEqual(10);
  expect(seen(stranger.port)).toMatchObject({ expiresAt: undefined, because: "is for another name" });
  expect(seen(nobody)?.because).toContain("ECONNREFUSED");
  expect(watching.trouble()).toBe(`the certificate of front 127.0.0.1:${stranger.port} is for another name`);
  await clock.advance(minutes(1));
  await vi.waitFor(() => expect(events).toHaveLength(6));
  await watching[Symbol.asyncDispose]();
});

it.each([
  ["valid", 0, /^undefined$/],
  ["expired for 5 days", 15.1, /^expired 5 days ago$/],
  ["expired for an hour", 10 + 1.5 / 24, /^expired 1 hour ago$/],
  ["not valid yet", -3, /^is not valid before \d{4}-\d\d-\d\d$/],
])("a certificate that is %s makes the host what it should be", async (_what, daysLater, words) => {
  await using front = await aFront("eu.push.example");
  const clock = new ManualClock(Date.now() + daysLater * DAY);
  const events: PushEvent[] = [];
  await using watching = watchFrontCertificates({
    fronts: [{ host: "127.0.0.1", port: front.port }],
    domain: "eu.push.example",
    clock,
    observe: (event) => void events.push(event),
  });
  await vi.waitFor(() => expect(events).toHaveLength(1));
  const trouble = watching.trouble()?.replace(`the certificate of front 127.0.0.1:${front.port} `, "");
  expect(String(trouble)).toMatch(words);
  const nothing = { processes: [], trouble: undefined, draining: false };
  const { reasons } = readinessOf({ ...nothing, certificateTrouble: watching.trouble() });
  expect(reasons).toEqual([watching.trouble() ?? "no ingress runs on this host"]);
});

it("a front that cannot be asked is no trouble of a certificate: HAProxy sees it by itself", async () => {
  const events: PushEvent[] = [];
  await using watching = watchFrontCertificates({
    fronts: [{ host: "127.0.0.1", port: await freePort() }],
    domain: "eu.push.example",
    clock: new ManualClock(),
    observe: (event) => void events.push(event),
  });
  await vi.waitFor(() => expect(events).toHaveLength(1));
  expect(watching.trouble()).toBeUndefined();
});
