import { parseArgs } from 'node:util';
import { fuseNativeImpossible } from '../support/driver.ts';
import { shapeNamed } from '../support/shape.ts';
import {
  cellOf,
  cellsOf,
  deviations,
  drivers,
  exceptionsOf,
  filesOf,
  outcomesOf,
  writeTable,
} from './suite.ts';

/**
 * Checks both drivers against the promises: `node dist/test/conformance/run.js [--write] [--driver NAME] [--shape
 * prefix|current|version|trees] [--by-successor] [PATTERN...]`. Prints a line for each file and driver, and each
 * difference from docs/semantics.md. `--write` writes the results for a prefix into the document's table; then `npx
 * biome check --write` formats it. Patterns choose files by parts of their names.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    write: { type: 'boolean', default: false },
    driver: { type: 'string' },
    shape: { type: 'string', default: 'prefix' },
    'by-successor': { type: 'boolean', default: false },
  },
});
const shape = shapeNamed(values.shape);
if (shape === undefined) throw new Error(`there is no shape ${values.shape}`);
const files = filesOf(shape).filter(
  (file) => positionals.length === 0 || positionals.some((pattern) => file.includes(pattern)),
);
const chosen = drivers.filter((driver) => values.driver === undefined || values.driver === driver);
if (fuseNativeImpossible !== false && chosen.includes('fuse-native')) throw new Error(fuseNativeImpossible);
let differs = false;
for (const file of files) {
  for (const driver of chosen) {
    const way = { driver, shape, bySuccessor: values['by-successor'] };
    const began = Date.now();
    const outcomes = await outcomesOf(file, way);
    const excepted = exceptionsOf(way);
    const found = deviations(outcomes, excepted);
    const seconds = Math.round((Date.now() - began) / 1000);
    console.log(
      `${file} with ${driver}: ${cellOf(outcomes)}; ${outcomes.passed.length} passed in ${seconds} s`,
    );
    for (const each of found) console.log(`  ${each}`);
    for (const each of outcomes.failed) if (excepted.has(each)) console.log(`  exception: ${each}`);
    differs ||= found.length > 0;
    if (!values.write || shape !== 'prefix' || found.length > 0) continue;
    const cells = cellsOf();
    const row = cells.get(file) ?? ['not run', 'not run'];
    row[drivers.indexOf(driver)] = cellOf(outcomes);
    cells.set(file, row);
    writeTable(cells);
  }
}
process.exitCode = differs ? 1 : 0;
