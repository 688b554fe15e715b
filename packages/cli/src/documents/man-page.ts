import { allOf, type Described } from "./described.ts";

/** The manual page, in the macros of man(7). `version` stands at the foot of each page. */
export const manPage = (reveille: Described, version: string): string =>
  `${[
    `.\\" Made by: reveille man`,
    `.TH REVEILLE 1 "" "reveille ${version}" "Reveille"`,
    ".SH NAME",
    `reveille \\- ${escape(firstLower(reveille.description.replace(/\.$/, "")))}`,
    ".SH SYNOPSIS",
    ".B reveille",
    ".I command",
    "[\\fIoption\\fR ...]",
    ".SH DESCRIPTION",
    "A region is made of roles, each a process of its own, and of commands with which an operator looks at it and changes it.",
    ".SH COMMANDS",
    ...allOf(reveille)
      .filter(({ path, commands }) => path.length > 0 && (commands.length === 0 || path.length === 1))
      .flatMap(sectionOf),
    ".SH ENVIRONMENT",
    ".TP",
    ".B REVEILLE_CONFIG",
    "The configuration for commands that are given no \\-\\-config.",
    ".SH EXIT STATUS",
    "0 if it is done and all is well; 1 if it could not be done, or something is wrong; 2 if the command line is wrong, and nothing was done. The reason is on standard error.",
    ".SH FILES",
    ".TP",
    ".I /etc/reveille/reveille.yaml",
    "Configuration of a host.",
  ].join("\n")}\n`;

const firstLower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

function sectionOf({
  path,
  description,
  options,
  operands,
  commands,
  remarks,
}: Described): readonly string[] {
  const isGroup = commands.length > 0;
  return [
    `.SS "reveille ${escape([...path, ...operands].join(" "))}${isGroup ? " \\fIcommand\\fR" : ""}"`,
    escape(`${description.charAt(0).toUpperCase()}${description.slice(1)}.`),
    ...options
      .filter(({ long }) => long !== "--help")
      .flatMap((option) => [".TP", `.B ${escape(option.flags)}`, escape(option.description)]),
    // What the help of a group says, each of its commands says of itself.
    ...(remarks === "" || isGroup ? [] : [".PP", ".nf", ...remarks.split("\n").map(escape), ".fi"]),
  ];
}

/** A dot or an apostrophe at the beginning of a line would be a request, and a bare minus a hyphen. */
const escape = (text: string): string =>
  text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll(/^([.'])/gm, "\\&$1");
