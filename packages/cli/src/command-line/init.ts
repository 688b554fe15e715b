import { type Command } from "commander";
import { type InitOptions } from "../init/answers.ts";

export function addInit(reveille: Command): void {
  reveille
    .command("init")
    .description("ask for a region's names and apps, and write all files of its machines into a folder")
    .requiredOption("--out <folder>", "where to put them")
    .option("--region <name>", "name of the region, e.g. eu")
    .option("--hostname <name>", "what users' servers publish to, e.g. eu.push.example")
    .option("--front <server>", "reveille (our own), prosody or ejabberd")
    .option(
      "--host <name,public,inside...>",
      "a host: its name, its public addresses, its inside address",
      [],
    )
    .option("--witness <name,inside>", "a third machine for a Sentinel, if there are two hosts")
    .option("--module <name,topic,environment,keyId,teamId...>", "an app with its signing key", [])
    .option(
      "--canary <host,service,domain>",
      "publish from a front in another place: the host that does, that front, the name there",
    )
    .option("--yes", "ask nothing: what is not given gets its default, or is a mistake", false)
    .option("--overwrite", "replace files that are there and differ, without asking", false)
    .action(async (options: InitOptions) => (await import("../commands/init.ts")).runInit(options))
    .addHelpText(
      "after",
      `
Nothing is overwritten without asking. No secret is asked for or written: NEXT-STEPS.md says where each belongs.
Examples:
  reveille init --out region
  reveille init --out region --yes --region eu --hostname eu.push.example \\
    --host s1.eu.push.example,192.0.2.1,10.0.0.1 --host s2.eu.push.example,192.0.2.2,10.0.0.2 \\
    --witness w.eu.push.example,10.0.0.3 --module monalProdiOS,G7YU7X7KRJ.SworIM,production,ABC1234567,TEAM123456`,
    );
}
