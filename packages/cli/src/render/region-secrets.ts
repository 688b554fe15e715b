import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { type Plan } from "@reveille/runtime";

import { refuseLinks } from "../secrets/refuse-links.ts";
import { redisNameOf } from "./view.ts";

/** Below the folder of all files; read by nobody but the user who made them. */
export const SECRETS = "secrets";
const REDIS_PASSWORD = join(SECRETS, "redis/password");
const SENTINEL_PASSWORD = join(SECRETS, "redis/sentinel-password");
const REDIS_AUTH = join(SECRETS, "redis-auth.conf");
const COMPONENT_SECRET = join(SECRETS, "front/component.secret");
const DIALBACK_SECRET = join(SECRETS, "s2s/dialback.secret");
const SENTINEL_AUTH = join(SECRETS, "sentinel-auth.conf");

/**
 * Makes the passwords of a region's Redis and Sentinels and the files by which these servers include them, and with a front
 * of ours its secrets. What is there stays as it is. Gives the paths of what it wrote. Throws if one is a link, or contains
 * what no password may.
 */
export async function writeSecrets(folder: string, plan: Plan): Promise<readonly string[]> {
  const files = [
    REDIS_PASSWORD,
    REDIS_AUTH,
    ...(plan.witness === undefined ? [] : [SENTINEL_PASSWORD, SENTINEL_AUTH]),
    ...(plan.front === "reveille" ? [COMPONENT_SECRET, DIALBACK_SECRET] : []),
  ];
  await refuseLinks(folder, files);
  const password = await passwordIn(join(folder, REDIS_PASSWORD));
  const wanted = new Map([
    [REDIS_PASSWORD, `${password}\n`],
    [REDIS_AUTH, redisAuth(password)],
  ]);
  if (plan.witness !== undefined) {
    const ofSentinels = await passwordIn(join(folder, SENTINEL_PASSWORD));
    wanted.set(SENTINEL_PASSWORD, `${ofSentinels}\n`);
    wanted.set(SENTINEL_AUTH, sentinelAuth(redisNameOf(plan), password, ofSentinels));
  }
  if (plan.front === "reveille") {
    for (const file of [COMPONENT_SECRET, DIALBACK_SECRET]) {
      wanted.set(file, `${await passwordIn(join(folder, file))}\n`);
    }
  }
  const written: string[] = [];
  for (const [path, text] of wanted) if (await writeSecret(join(folder, path), text)) written.push(path);
  return written;
}

async function passwordIn(file: string): Promise<string> {
  const there = await readFile(file, "utf8").catch(() => undefined);
  if (there === undefined) return randomBytes(32).toString("hex");
  const password = there.trim();
  if (/^[A-Za-z0-9._~-]{16,}$/.test(password)) return password;
  throw new Error(
    `${file} holds no password or secret: 16 or more letters, digits, dots, dashes; remove it, and a new one is made`,
  );
}

/** Whether it had to be written. Others never see it, not even for a moment. */
async function writeSecret(file: string, text: string): Promise<boolean> {
  const there = await readFile(file, "utf8").catch(() => undefined);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  if (there !== text) await writeFile(file, text, { mode: 0o600 });
  await chmod(file, 0o600);
  return there !== text;
}

const redisAuth = (password: string): string => `# Made by reveille: what redis.conf includes.
# Place: /etc/redis/redis-auth.conf on both hosts, for Redis alone (mode 640, group redis).
requirepass ${password}
# For the primary, while this one is a replica.
masterauth ${password}
`;

const sentinelAuth = (
  name: string,
  password: string,
  ofSentinels: string,
): string => `# Made by reveille: what sentinel.conf includes.
# Place: /etc/redis/sentinel-auth.conf on both hosts and the witness, for Sentinel alone (mode 640, group redis).
requirepass ${ofSentinels}
# For the other Sentinels.
sentinel sentinel-pass ${ofSentinels}
# For the Redis that they watch.
sentinel auth-pass ${name} ${password}
`;
