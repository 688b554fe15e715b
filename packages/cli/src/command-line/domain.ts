import { type Command } from "commander";

import { addGroupHelp } from "./group-help.ts";
import { type OperatorOptions } from "../role/operator-options.ts";
import { withOperatorOptions } from "./with-operator-options.ts";
import { type BlockDomainOptions, type LimitOptions } from "../commands/domain.ts";

const REMARKS = `Every ingress of the region follows within about a second. A rule covers all domains below, counted as one; \`*.\` and a domain means only those below it.`;

export function addDomain(reveille: Command): void {
  const domain = reveille
    .command("domain")
    .description("say which sending domains may publish, and how much");
  addList(domain);
  addBlock(domain);
  addLimit(domain);
  addChange(
    domain,
    "allow",
    "let it publish without limit or budget, whatever ingress.domainLimit and admission.newDevices say",
  );
  addChange(domain, "reset", "take its rule away: ingress.domainLimit holds again");
  addGroupHelp(domain, REMARKS, [
    "reveille domain limit example.org --rate 50/s --burst 500",
    "reveille domain allow big.example",
    "reveille domain block '*.spam.example'",
    "reveille domain reset example.org",
    "reveille domain list --json",
  ]);
}

function addList(domain: Command): void {
  withOperatorOptions(domain.command("list"))
    .description("rules, the default, and which domains sent content in clear in the last week")
    .action(async (options: OperatorOptions) => (await import("../commands/domain.ts")).listDomains(options));
}

function addLimit(domain: Command): void {
  withOperatorOptions(domain.command("limit").argument("<domain>"))
    .description("let it publish so much; the rest hears `wait`, which ends no registration")
    .requiredOption("--rate <rate>", "publishes per s, m or h, such as 50/s")
    .option("--burst <publishes>", "so many at once after a quiet time (default: those of ten seconds)")
    .action(async (name: string, options: LimitOptions) =>
      (await import("../commands/domain.ts")).limitDomain(name, options),
    );
}

function addBlock(domain: Command): void {
  withOperatorOptions(domain.command("block").argument("<domain>"))
    .description(
      "refuse its publishes for good: servers then forget their users' registrations; says how many, and asks first",
    )
    .option("--yes", "do not ask", false)
    .action(async (name: string, options: BlockDomainOptions) =>
      (await import("../commands/domain.ts")).blockDomain(name, options),
    );
}

function addChange(domain: Command, action: "allow" | "reset", does: string): void {
  withOperatorOptions(domain.command(action).argument("<domain>"))
    .description(does)
    .action(async (name: string, options: OperatorOptions) =>
      (await import("../commands/domain.ts")).changeDomain(action, name, options),
    );
}
