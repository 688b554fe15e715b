import { type Command } from "commander";

import { addGroupHelp } from "./group-help.ts";
import { type OperatorOptions } from "../role/operator-options.ts";
import { withOperatorOptions } from "./with-operator-options.ts";
import { type DiscardQueueOptions } from "../commands/queue.ts";

export function addQueue(reveille: Command): void {
  const queue = reveille.command("queue").description("look at the region's queue and hold it");
  const add = (name: "status" | "pause" | "resume", does: string): void =>
    void withOperatorOptions(queue.command(name).description(does)).action(async (options: OperatorOptions) =>
      (await import("../commands/queue.ts")).runQueue(name, options),
    );

  add("status", "batches by state, the age of the oldest that waits, and the trailing pushes to come");
  add("pause", "let workers take no new batch; wakeups are still accepted, and their deadlines run");
  add("resume", "let workers take batches again");
  withOperatorOptions(queue.command("discard"))
    .description(
      "throw away every batch that no worker has in hand, and every trailing push: those wakeups are lost; asks first",
    )
    .option("--yes", "do not ask", false)
    .action(async (options: DiscardQueueOptions) =>
      (await import("../commands/queue.ts")).discardQueue(options),
    );
  addGroupHelp(queue, "", [
    "reveille queue status --json",
    "reveille queue pause       # before a planned failover of Redis",
    "reveille queue resume",
    "reveille queue discard --yes",
  ]);
}
