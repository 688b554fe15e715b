import { type ModuleConfig, type ModulesFile, type Plan } from "@reveille/runtime";

/** What is left to do for people, in order. */
export function nextSteps(plan: Plan, { modules }: ModulesFile): string {
  const { hostname, hosts, witness, front } = plan;
  const names = hosts.map(({ name }) => name);
  const files = `reveille.yaml, ${front === "prosody" ? "prosody.cfg.lua" : "ejabberd.yml"}, haproxy.cfg, redis.conf`;
  const credentials = new Set([...modules.values()].flatMap(credentialFileOf));
  const steps = [
    `DNS: publish the records of ${hostname}.zone.`,
    `On every host (${names.join(", ")}): \`sh deploy/install.sh\` from a checkout of Reveille. It brings the units of \`systemd/\`, which are here to be read.`,
    `Copy each machine's files to the place that their first lines name: ${files}${witness === undefined ? "" : `, and on the hosts and ${witness.name} sentinel.conf`}.`,
    `Make the secret of front and ingress, the same on all hosts: \`openssl rand -hex 24 > /etc/reveille/front/component.secret\`, mode 600.`,
    ...[...credentials].map((file) => `Put the credential that Apple handed out into ${file}, mode 600.`),
    `Have a certificate for ${hostname} where the front looks for it; servers check this name, not the hosts'.`,
    "Prometheus: prometheus/reveille.yml and prometheus/rules.",
    "`systemctl enable --now reveille.target` on each host.",
    "`reveille doctor` on each host, with `--peer http://INSIDE-ADDRESS:9464` of the other; mend what it names.",
    `One push to a device of yours: \`reveille push-test --module ${[...modules.keys()][0] ?? ""}\`.`,
    ...canarySteps(plan),
  ];
  return `# Next steps for ${hostname}

${steps.map((step, index) => `${index + 1}. ${step}`).join("\n")}

After a change of plan.yaml or modules.yaml: \`reveille render plan.yaml --out .\`, copy, and \`reveille reload\` on each host.
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
