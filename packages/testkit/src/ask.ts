import { execFile } from "node:child_process";
import { readlink } from "node:fs/promises";
import { request } from "node:http";
import { connect, type NetConnectOpts } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";

/** A port, of 127.0.0.1 unless told, or a Unix socket. */
export type Address = { readonly host?: string; readonly port: number } | { readonly path: string };

/** What a program that works gives an answer to. */
export type Question =
  | { readonly kind: "connection"; readonly at: Address }
  /** Redis and its Sentinels. One that still loads its data answers otherwise; one with a password asks for it. */
  | { readonly kind: "redis-ping"; readonly at: Address }
  /** Over TCP, so that it does not wait for datagrams that nobody takes. Any answer will do, also that there is no such name. */
  | { readonly kind: "dns-query"; readonly at: Address }
  /** HAProxy's command socket. */
  | { readonly kind: "haproxy-info"; readonly at: Address }
  /** `GET url`, with status 200. */
  | { readonly kind: "http"; readonly at: Address; readonly url: string };

/** How long one answer may take, in ms. */
const ANSWER_MS = 5_000;
const MAIN = join(import.meta.dirname, "ask-main.ts");

/** The answer. Rejects when none comes, or another one than from a program that works. */
export async function ask(question: Question): Promise<string> {
  switch (question.kind) {
    case "connection":
      return exchange(question.at, undefined, () => true);
    case "redis-ping":
      return expecting(
        /^(?:\+PONG|-NOAUTH)/,
        await exchange(question.at, "PING\r\n", (answer) => answer.endsWith("\n")),
      );
    case "dns-query":
      return exchange(question.at, QUERY, (answer) => answer.length > 2);
    case "haproxy-info":
      return expecting(/^Name: HAProxy/, await exchange(question.at, "show info\n", () => false));
    case "http":
      return get(question.at, question.url);
  }
}

/** A question that can be asked from another network. */
export interface RemoteQuestion {
  readonly kind: "connection" | "redis-ping" | "dns-query";
  readonly at: { readonly host: string; readonly port: number };
}

/** Asks from the network namespace of a process. Rejects while that is still in ours, too. */
export async function askInNetworkOf(pid: number, { kind, at }: RemoteQuestion): Promise<void> {
  const [ours, theirs] = await Promise.all(["self", pid].map((one) => readlink(`/proc/${one}/ns/net`)));
  if (ours === theirs) throw new Error(`process ${pid} has no network of its own yet`);
  const there = ["--target", `${pid}`, "--net", process.execPath, MAIN, kind, at.host, `${at.port}`];
  await promisify(execFile)("nsenter", there, { timeout: 2 * ANSWER_MS });
}

function expecting(beginning: RegExp, answer: string): string {
  if (beginning.test(answer)) return answer;
  throw new Error(`answers ${JSON.stringify(answer)}, not ${beginning}`);
}

/** A query for the addresses of the root, with its length in front (RFC 1035 §4.2.2). */
const QUERY = Buffer.from([0, 17, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1]);

/** What comes after `said`, until it is whole or the other side closes. */
async function exchange(
  at: Address,
  said: string | Buffer | undefined,
  isWhole: (answer: string) => boolean,
): Promise<string> {
  const socket = connect(optionsOf(at));
  try {
    return await new Promise<string>((resolve, reject) => {
      let answer = "";
      socket.setTimeout(ANSWER_MS, () => reject(new Error(`no answer within ${ANSWER_MS / 1_000} s`)));
      socket.once("error", reject);
      socket.once("close", () =>
        answer === "" ? reject(new Error("closes without an answer")) : resolve(answer),
      );
      socket.once("connect", () => void (said === undefined ? resolve("") : socket.write(said)));
      socket.setEncoding("latin1").on("data", (part: string) => {
        answer += part;
        if (isWhole(answer)) resolve(answer);
      });
    });
  } finally {
    socket.destroy();
  }
}

async function get(at: Address, url: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const target = "path" in at ? { socketPath: at.path } : { host: at.host ?? "127.0.0.1", port: at.port };
  const asked = request({ ...target, path: url, timeout: ANSWER_MS, agent: false }, (response) => {
    let body = "";
    response.setEncoding("utf8").on("data", (part: string) => void (body += part));
    response.once("error", reject);
    response.once("end", () =>
      response.statusCode === 200
        ? resolve(body)
        : reject(new Error(`answers ${response.statusCode}: ${body}`)),
    );
  });
  asked.once("timeout", () => asked.destroy(new Error(`no answer within ${ANSWER_MS / 1_000} s`)));
  asked.once("error", reject);
  asked.end();
  return promise;
}

const optionsOf = (at: Address): NetConnectOpts =>
  "path" in at ? { path: at.path } : { host: at.host ?? "127.0.0.1", port: at.port };
