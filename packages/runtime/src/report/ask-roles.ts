import { readdir } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { type Clock, type HostRole, type Millis, networkTrouble, parseSocketName } from "@reveille/wakeup";

/** A role of this host, as the name of its socket tells it, and what it answered. */
export interface AskedRole {
  readonly role: HostRole;
  readonly pid: number;
  readonly answer: RoleAnswer;
}

export type RoleAnswer =
  | { readonly kind: "answered"; readonly status: number; readonly body: unknown }
  /** Somebody listens, or a killed process left the socket behind, but no answer came. */
  | { readonly kind: "silent"; readonly because: string };

export interface Question {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Default: `front`, `ingress` and `worker`, the roles that publishes go through. */
  readonly only?: HostRole;
  readonly within: Millis;
}

/**
 * Puts a question to the roles of the host at the sockets of the runtime folder. A folder that is missing has no roles; one
 * that is closed to this user throws.
 */
export async function askRoles(
  runtimeDir: string,
  question: Question,
  clock: Clock,
): Promise<readonly AskedRole[]> {
  const roles = await listRoles(runtimeDir);
  const { only } = question;
  const asked = roles.filter(({ role }) =>
    only === undefined ? role !== "canary" && role !== "sidecar" : role === only,
  );
  return Promise.all(asked.map((socket) => askRole(socket, question, clock)));
}

/** A role's socket in the runtime folder. */
export interface RoleSocket {
  readonly role: HostRole;
  readonly pid: number;
  readonly path: string;
}

/** The sockets of all roles of the host. Throws if this user may not look into the folder. */
export async function listRoles(runtimeDir: string): Promise<readonly RoleSocket[]> {
  const names = await readdir(runtimeDir).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw new Error(`cannot look into ${runtimeDir}, where the roles' sockets are`, { cause: error });
  });
  return names
    .toSorted((one, other) => one.localeCompare(other))
    .flatMap((name) => {
      const socket = parseSocketName(name);
      return socket === undefined ? [] : [{ ...socket, path: join(runtimeDir, name) }];
    });
}

/** Puts a question to one role. Never rejects. */
export async function askRole(
  { role, pid, path }: RoleSocket,
  question: Omit<Question, "only">,
  clock: Clock,
): Promise<AskedRole> {
  return { role, pid, answer: await ask(path, question, clock) };
}

async function ask(socketPath: string, question: Omit<Question, "only">, clock: Clock): Promise<RoleAnswer> {
  const done = new AbortController();
  const late = clock
    .sleep(question.within, done.signal)
    .then((): RoleAnswer => ({ kind: "silent", because: `no answer within ${question.within / 1_000} s` }));
  const answer = await Promise.race([answerAt(socketPath, question, done.signal), late]);
  done.abort();
  return answer;
}

function answerAt(
  socketPath: string,
  { method, path }: Omit<Question, "only">,
  signal: AbortSignal,
): Promise<RoleAnswer> {
  return new Promise((resolve) => {
    const failed = (error: Error): void => resolve({ kind: "silent", because: networkTrouble(error) });
    request({ socketPath, method, path, signal, agent: false }, (response) => {
      text(response).then(
        (body) => resolve({ kind: "answered", status: response.statusCode ?? 0, body: jsonOf(body) }),
        failed,
      );
    })
      .once("error", failed)
      .end();
  });
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // JSON.parse has no other way to say that this is no JSON.
    return undefined;
  }
}
