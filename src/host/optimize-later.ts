import { setFlagsFromString } from 'node:v8';

/**
 * How much a function runs before the V8 of Node.js 20 optimises it, in bytes of bytecode: eight times the
 * default, which is 66 KiB.
 */
const INTERRUPT_BUDGET = 528_000;

/**
 * Lets V8 optimise code later. A first start runs many functions some thousand times, and then hardly
 * any more. Of 2.2 s of CPU for a first mount of 3,000 files, V8's threads used 0.55, most of it for
 * optimisation, while readers waited for the processor. With this, such files are read 5 to 8 % sooner (bench/cold,
 * four series by turns). Only for Node.js 20: Node.js 22 and 24 have a compiler between baseline code and optimised
 * code (Maglev), and gain nothing by the corresponding options.
 */
export function optimizeLater(v8: string = process.versions.v8): void {
  if (v8.startsWith('11.')) setFlagsFromString(`--interrupt-budget=${INTERRUPT_BUDGET}`);
}
