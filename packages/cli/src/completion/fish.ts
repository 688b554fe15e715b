import { allOf, type Described } from "../documents/described.ts";

/** For a file in `~/.config/fish/completions`, or for `source`. */
export function fishCompletion(reveille: Described): string {
  const lines = allOf(reveille).flatMap((command) => {
    const here = condition(command);
    return [
      ...command.commands.map(
        (one) => `complete -c reveille -f -n ${here} -a ${one.path.at(-1)} -d ${quoted(one.description)}`,
      ),
      ...command.options.map(
        ({ long, description, takesValue }) =>
          `complete -c reveille -n ${here} -l ${long.slice(2)}${takesValue ? " -r" : ""} -d ${quoted(description)}`,
      ),
    ];
  });
  return `# fish completion of reveille; made by: reveille completion fish\n${lines.join("\n")}\n`;
}

/** True while the words so far name this command, and none below it. */
function condition({ path, commands }: Described): string {
  const seen = path.map((name) => `__fish_seen_subcommand_from ${name}`);
  const names = commands.map((one) => one.path.at(-1)).join(" ");
  const unseen = commands.length === 0 ? [] : [`not __fish_seen_subcommand_from ${names}`];
  return quoted([...seen, ...unseen].join("; and "));
}

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
