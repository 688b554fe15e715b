import { type Asker } from "./ask.ts";
import {
  ANOTHER,
  ENVIRONMENT,
  FRONT,
  hostAddresses,
  hostName,
  HOSTNAME,
  HOSTS,
  insideAddress,
  KEY_ID,
  MODULE,
  type Question,
  REGION,
  TEAM_ID,
  TOPIC,
  witnessName,
} from "./questions.ts";
import { UsageError } from "../terminal/usage-error.ts";

/** Every answer may be given as an option; what is missing is asked for. */
export interface InitOptions {
  readonly out: string;
  readonly region?: string;
  readonly hostname?: string;
  readonly front?: string;
  readonly host: readonly string[];
  readonly witness?: string;
  readonly module: readonly string[];
  readonly canary?: string;
  readonly yes: boolean;
  readonly overwrite: boolean;
}

/** A plan and its modules as they stand in YAML, not yet checked as a whole. */
export interface Answers {
  readonly plan: { readonly region: string; readonly hostname: string } & Record<string, unknown>;
  readonly modules: { readonly defaultModule: string; readonly modules: Readonly<Record<string, unknown>> };
}

/** What the options do not say is asked for. Throws an Error for an option that is no answer. */
export async function collectAnswers(options: InitOptions, { ask }: Asker): Promise<Answers> {
  const given = (option: string, text: string | undefined, question: Question): Promise<string> =>
    text === undefined ? ask(question) : Promise.resolve(checked(option, text, question));
  const region = await given("--region", options.region, REGION);
  const hostname = await given("--hostname", options.hostname, HOSTNAME);
  const front = await given("--front", options.front, FRONT);
  const hosts = options.host.length > 0 ? options.host.map(hostOf) : await askHosts(hostname, ask);
  const witness = hosts.length < 2 ? undefined : await witnessOf(options, hostname, ask);
  const modules = options.module.length > 0 ? options.module.map(moduleOf) : await askModules(ask);
  return {
    plan: {
      region,
      hostname,
      front,
      hosts,
      ...(witness === undefined ? {} : { witness }),
      ...(options.canary === undefined ? {} : { canary: canaryOf(options.canary) }),
      modulesFile: "modules.yaml",
    },
    modules: {
      defaultModule: modules[0]?.name ?? "",
      modules: Object.fromEntries(modules.map(({ name, apns }) => [name, { apns }])),
    },
  };
}

type Ask = Asker["ask"];

interface Host {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly inside: string;
}

async function askHosts(hostname: string, ask: Ask): Promise<readonly Host[]> {
  const hosts: Host[] = [];
  const count = Number(await ask(HOSTS));
  for (let number = 1; number <= count; number += 1) {
    const name = await ask(hostName(number, hostname));
    const addresses = (await ask(hostAddresses(number))).split(/\s+/);
    hosts.push({ name, addresses, inside: await ask(insideAddress(`Host ${number}`, number)) });
  }
  return hosts;
}

function hostOf(text: string): Host {
  const [name = "", ...addresses] = text.split(",");
  const inside = addresses.pop();
  if (inside !== undefined && addresses.length > 0) return { name, addresses, inside };
  throw new UsageError(`--host ${text}: must be a name, public addresses and an inside address, by commas`);
}

async function witnessOf({ witness }: InitOptions, hostname: string, ask: Ask): Promise<object> {
  if (witness === undefined) {
    return { name: await ask(witnessName(hostname)), inside: await ask(insideAddress("Witness", 3)) };
  }
  const [name, inside, ...more] = witness.split(",");
  if (name !== undefined && inside !== undefined && more.length === 0) return { name, inside };
  throw new UsageError(`--witness ${witness}: must be a name and an inside address, by a comma`);
}

/** Nobody is asked for one: it comes when all else works. */
function canaryOf(text: string): object {
  const [host, service, domain, ...more] = text.split(",");
  if (host !== undefined && service !== undefined && domain !== undefined && more.length === 0)
    return { host, service, domain };
  throw new UsageError(`--canary ${text}: must be a host, the service of a front and a domain, by commas`);
}

interface Module {
  readonly name: string;
  readonly apns: object;
}

async function askModules(ask: Ask): Promise<readonly Module[]> {
  const modules: Module[] = [];
  do {
    const name = await ask(MODULE);
    const topic = await ask(TOPIC);
    const environment = await ask(ENVIRONMENT);
    const keyId = await ask(KEY_ID);
    modules.push({ name, apns: apnsOf({ topic, environment, keyId, teamId: await ask(TEAM_ID) }) });
  } while ((await ask(ANOTHER)) === "yes");
  return modules;
}

function moduleOf(text: string): Module {
  const [name, topic, environment, keyId, teamId, ...more] = text.split(",");
  if (name === undefined || topic === undefined || environment === undefined || more.length > 0)
    throw bad(text);
  if (keyId === undefined || teamId === undefined) throw bad(text);
  return { name, apns: apnsOf({ topic, environment, keyId, teamId }) };
}

const bad = (text: string): Error =>
  new Error(`--module ${text}: must be name, topic, environment, key id and team id, by commas`);

interface Apns {
  readonly topic: string;
  readonly environment: string;
  readonly keyId: string;
  readonly teamId: string;
}

const apnsOf = ({ topic, environment, keyId, teamId }: Apns): object => ({
  topic,
  environment,
  keyFile: `/etc/reveille/apns/AuthKey_${keyId}.p8`,
  keyId,
  teamId,
});

function checked(option: string, text: string, { accepts, wanted }: Question): string {
  if (accepts(text)) return text;
  throw new UsageError(`${option} ${text}: must be ${wanted}`);
}
