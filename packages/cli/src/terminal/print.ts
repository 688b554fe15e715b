/** A command's answer on standard output: one JSON object for programs, or a text for people. */
export function print(answer: object, text: string, { json }: { readonly json: boolean }): void {
  process.stdout.write(json ? `${JSON.stringify(answer)}\n` : `${text}\n`);
}
