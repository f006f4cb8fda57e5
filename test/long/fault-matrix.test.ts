import { describe, test } from 'node:test';
import { tryCell } from '../faults/cell.ts';
import { matrix } from '../faults/matrix.ts';
import { mountImpossible } from '../support/mount.ts';

describe('no wrong byte, nothing missing, no hang, and all well afterwards', {
  skip: mountImpossible,
  concurrency: 8,
}, () => {
  for (const cell of matrix)
    test(`when the store ${cell.fault}, in the stage ${cell.stage}`, (t) => tryCell(t, cell));
});
