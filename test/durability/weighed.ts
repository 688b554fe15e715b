/** Preloaded into a process that a test weighs, with `--expose-gc`: on SIGUSR2 it collects its garbage, and says what it holds. */
const { gc } = globalThis;
if (gc === undefined) throw new Error("needs --expose-gc");

process.on("SIGUSR2", () => {
  gc();
  const { heapUsed, external } = process.memoryUsage();
  process.stdout.write(`holds ${heapUsed + external} bytes\n`);
});
