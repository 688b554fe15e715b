import { execFile } from "node:child_process";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");
const HOST = "s1.eu.push.example";

/** As long as that of an operator may be: Prosody 13 shortens a path of more than 60 characters, and lost itself in that. */
const LONG = "a-folder-whose-path-has-more-characters-than-lua-shows-of-a-path";

/** Configurations of Prosody that we ship, in `folder`, with their secrets beside them; by what they are for. */
export async function writeFronts(folder: string): Promise<ReadonlyMap<string, string>> {
  const here = join(folder, LONG);
  await mkdir(join(here, "certs"), { recursive: true });
  const secret = join(here, "component.secret");
  await writeFile(secret, "secret\n");
  const plan = join(ROOT, "deploy/plan.example.yaml");
  await run(join(ROOT, "packages/cli/reveille"), ["render", plan, "--out", join(here, "rendered")]);
  const rendered = await readFile(join(here, "rendered", HOST, "prosody.cfg.lua"), "utf8");
  const fronts = new Map([
    ["a host", rendered.replaceAll("/etc/reveille/front/component.secret", secret)],
    ["a container", (await readFile(CONTAINER, "utf8")).replaceAll("/run/secrets/component.secret", secret)],
    [
      "a canary",
      'log = "*console"\nmodules_enabled = { "tls" }\nVirtualHost "example"\nInclude "canary.cfg.lua"\n',
    ],
  ]);
  await cp(join(here, "rendered/canary-front/prosody.cfg.lua"), join(here, "canary.cfg.lua"));
  const files = [...fronts].map(async ([name, text]) => {
    const file = join(here, `${name.replace(" ", "-")}.cfg.lua`);
    await writeFile(file, text);
    return [name, file] as const;
  });
  return new Map(await Promise.all(files));
}

const CONTAINER = join(ROOT, "deploy/container/front.cfg.lua");

/** The command that looks at one of these, as `sh -c` takes it. `$0` is the file. */
export const CHECK =
  'REVEILLE_HOSTNAME=eu.push.example prosodyctl --root --config "$0" check config 2>&1 || true';

/** What Prosody 13 says of every server whose users lack a web client or group chats; this one has no users. */
const OF_USERS =
  /\n *Some of your hosts may be missing features due to a lack of configuration\.\n *For more details, use the 'prosodyctl check features' command\.\n/;

/** What `CHECK` minds, if anything. */
export const complaintOf = (said: string): string =>
  said
    .replace(OF_USERS, "")
    .replace(
      /^Checking config\.\.\.\n *The following configuration files have been loaded:\n(?: *- .*\n)+/,
      "",
    )
    .replace(/^Done\.\n+All checks passed, congratulations!\n$/, "");
