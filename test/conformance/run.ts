import { parseArgs } from 'node:util';
import { fuseNativeImpossible } from '../support/driver.ts';
import { cellOf, cellsOf, deviations, drivers, exceptions, outcomesOf, suite, writeTable } from './suite.ts';

/**
 * Holds both drivers against the promises: `node dist/test/conformance/run.js [--write] [--driver NAME] [PATTERN...]`.
 * Prints a line for each file and driver, and what is not as docs/semantics.md has it; `--write` puts what it
 * found into its table (`npx biome check --write` then lays it out). Patterns choose files by parts of their names.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { write: { type: 'boolean', default: false }, driver: { type: 'string' } },
});
const files = suite
  .flatMap(([, each]) => each)
  .filter((file) => positionals.length === 0 || positionals.some((pattern) => file.includes(pattern)));
const chosen = drivers.filter((driver) => values.driver === undefined || values.driver === driver);
if (fuseNativeImpossible !== false && chosen.includes('fuse-native')) throw new Error(fuseNativeImpossible);
const excepted = exceptions();
let differs = false;
for (const file of files) {
  for (const driver of chosen) {
    const outcomes = await outcomesOf(file, driver);
    const found = deviations(driver, outcomes, excepted);
    console.log(`${file} with ${driver}: ${cellOf(outcomes)}`);
    for (const each of found) console.log(`  ${each}`);
    for (const each of outcomes.failed) if (excepted.has(each)) console.log(`  exception: ${each}`);
    differs ||= found.length > 0;
    if (!values.write || found.length > 0) continue;
    const cells = cellsOf();
    const row = cells.get(file) ?? ['not run', 'not run'];
    row[drivers.indexOf(driver)] = cellOf(outcomes);
    cells.set(file, row);
    writeTable(cells);
  }
}
process.exitCode = differs ? 1 : 0;
