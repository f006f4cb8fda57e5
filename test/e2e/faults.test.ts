import { describe, test } from 'node:test';
import { tryCell } from '../faults/cell.ts';
import { sample } from '../faults/matrix.ts';
import { mountImpossible } from '../support/mount.ts';

// Most of the time, these tests wait for the store.
describe('no wrong byte, nothing missing, no hang, and all well afterwards', {
  skip: mountImpossible,
  concurrency: 8,
}, () => {
  for (const cell of sample)
    test(`when the store ${cell.fault}, in the stage ${cell.stage}`, (t) => tryCell(t, cell));
});
