import { setFlagsFromString } from 'node:v8';

/**
 * How much a function runs before the V8 of Node.js 20 optimises it, in bytes of bytecode: eight times the
 * default, which is 66 KiB.
 */
const INTERRUPT_BUDGET = 528_000;

/**
 * Lets V8 optimise code later, in all threads of this process, until it ends. A first start runs many
 * functions some thousand times, and then hardly any more: V8's threads used a quarter of its CPU, most of it
 * for optimisation. docs/architecture.md has the figures.
 *
 * Call this only after threads and modules are loaded: V8 refuses code that was cached under other options, so
 * that Node.js compiles its own modules anew (a worker was loaded in 59 ms instead of 42).
 *
 * Only for Node.js 20: Node.js 22 and 24 have a faster optimising compiler besides (Maglev), and gain nothing.
 */
export function optimizeLater(): void {
  if (process.versions.v8.startsWith('11.')) setFlagsFromString(`--interrupt-budget=${INTERRUPT_BUDGET}`);
}
