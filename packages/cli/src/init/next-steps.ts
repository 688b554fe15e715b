import { FRONT_FILES } from "../render/files-of.ts";
import { type ModuleConfig, type ModulesFile, type Plan } from "@reveille/runtime";

/** How front and ingress get the secret that they share; a front of ours has one of its own, too. */
function secretStep({ front, hosts }: Plan): string {
  if (front === "reveille") {
    return "The secrets of the front, from `secrets/`, on each host as root: `install -m 600 secrets/front/* /etc/reveille/front/`, then `install -m 600 secrets/s2s/* /etc/reveille/s2s/`.";
  }
  const [where, copy] = hosts.length > 1 ? ["On one host", " Copy it to the other one."] : ["There", ""];
  const readers = {
    prosody:
      "Prosody reads it, too: `chgrp prosody /etc/reveille/front/component.secret`, then `chmod 640` of it.",
    ejabberd: "It stays readable for root alone.",
  };
  return `${where}: \`(umask 077 && openssl rand -hex 32 >/etc/reveille/front/component.secret)\`, the secret of front and ingress.${copy} ${readers[front]}`;
}

const SERVERS_BEFORE: Readonly<Record<Plan["front"], string>> = {
  reveille: "`systemctl restart redis-server`, then `systemctl enable reveille-front`",
  prosody: "`systemctl restart redis-server prosody`, then `systemctl restart haproxy`",
  ejabberd: "`systemctl restart redis-server ejabberd`, then `systemctl restart haproxy`",
};

/** Each hostname has a certificate of its own; the role sees new files within seconds. */
const ownImport = (hostname: string): string =>
  `\`install -m 600 /etc/letsencrypt/live/${hostname}/fullchain.pem /etc/reveille/s2s/${hostname}.crt\`, then \`install -m 600 /etc/letsencrypt/live/${hostname}/privkey.pem /etc/reveille/s2s/${hostname}.key\``;

/** How the front gets a certificate that certbot has put into /etc/letsencrypt/live; ejabberd its secret, too. */
const FRONT_IMPORTS: Readonly<Record<Exclude<Plan["front"], "reveille">, string>> = {
  prosody: "`prosodyctl --root cert import /etc/letsencrypt/live`",
  ejabberd: "`sh /opt/reveille/current/deploy/ejabberd-import.sh /etc/letsencrypt/live`",
};

/** What is left to do for people, in order; deploy/README.md says why. */
export function nextSteps(plan: Plan, { modules }: ModulesFile): string {
  const { hostname, alsoServes, hosts, witness, front } = plan;
  const names = hosts.map(({ name }) => name);
  const files = ["reveille.yaml", ...FRONT_FILES[front], "redis.conf"].join(", ");
  const credentials = new Set([...modules.values()].flatMap(credentialFileOf));
  const all = witness === undefined ? "the host" : `both hosts and ${witness.name}`;
  const steps = [
    `On every host (${names.join(", ")}), as root: \`sh deploy/install.sh\` from a checkout of Reveille. It brings the units of \`systemd/\`, which are here to be read.`,
    `On ${all}: what deploy/README.md says of the tunnel${front === "reveille" ? " and the firewall" : ", the firewall and `net.ipv4.ip_nonlocal_bind`"}.`,
    `Copy each machine's files over those at the place that their first lines name: ${files}${witness === undefined ? "" : `, and on ${all} sentinel.conf`}.`,
    `The passwords of Redis${witness === undefined ? "" : " and Sentinel"}, from \`secrets/\`, on each host as root: \`install -m 600 secrets/redis/* /etc/reveille/redis/\`, then \`install -m 640 -g redis secrets/*-auth.conf /etc/redis/\`.${witness === undefined ? "" : ` On ${witness.name}: \`install -m 640 -g redis secrets/sentinel-auth.conf /etc/redis/\`.`} Then keep this folder where nobody else reads it.`,
    secretStep(plan),
    ...[...credentials].map((file) => `Put the credential that Apple handed out into ${file}, mode 600.`),
    `On each host: a certificate for ${hostname}, the name that servers check, in /etc/letsencrypt/live/${hostname} (fullchain.pem and privkey.pem, as certbot keeps them). Then ${front === "reveille" ? [hostname, ...alsoServes].map(ownImport).join("; ") : FRONT_IMPORTS[front]}, also after each renewal (a deploy hook of certbot)${front === "reveille" ? ", and `systemctl reload reveille-front` where it runs" : ""}.`,
    `DNS: publish the records of ${hostname}.zone.`,
    `Start on each host: ${SERVERS_BEFORE[front]}, then \`systemctl start reveille.target\`${witness === undefined ? "" : `; on ${all} \`systemctl restart redis-sentinel\``}.`,
    "`reveille doctor` on each host; mend what it names.",
    `One push to a device of yours: \`reveille push-test --module ${[...modules.keys()][0] ?? ""}\`.`,
    "Prometheus: prometheus/reveille.yml and prometheus/rules.",
    ...canarySteps(plan),
  ];
  return `# Next steps for ${hostname}

${steps.map((step, index) => `${index + 1}. ${step}`).join("\n")}

After a change of plan.yaml or modules.yaml: \`reveille render plan.yaml --out .\`, copy what has changed, and \`reveille reload\` on each host. Leave redis.conf and sentinel.conf of a running region where they are: Redis and Sentinel write to theirs.
`;
}

function credentialFileOf({ apns }: ModuleConfig): readonly string[] {
  if (apns === undefined) return [];
  return [apns.credential.kind === "key" ? apns.credential.keyFile : apns.credential.certFile];
}

function canarySteps({ canary, hosts }: Plan): readonly string[] {
  if (canary === undefined) {
    return [
      "When all of this works, a canary: `canary` in plan.yaml (deploy/README.md), then `reveille render` again.",
    ];
  }
  const { host, domain } = canary;
  return [
    `The canary's front, in another place: what canary-front/ says, the address and the certificate of ${domain}, and a secret of its own.`,
    `On ${host}: that secret into /etc/reveille/canary/component.secret, mode 600; \`reveille canary --once\`; then \`systemctl enable --now reveille-canary\`.${hosts.length > 1 ? " On this host alone." : ""} Its metrics are the sidecar's: Prometheus has them already.`,
  ];
}
