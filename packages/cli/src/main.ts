import { fileLimitTrouble } from "./role/file-limit.ts";

// Before everything else is loaded: with too few files Node waits for one without a word, or loads half.
const trouble = fileLimitTrouble();
if (trouble === undefined) {
  const { runProgram } = await import("./command-line/run-program.ts");
  await runProgram();
} else {
  process.stderr.write(`reveille: ${trouble}\n`);
  process.exitCode = 1;
}
