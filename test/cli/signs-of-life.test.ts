import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { SignsOfLife } from '../../src/cli/signs-of-life.ts';

const listing = { phase: 'listing', totalFiles: 0, totalBytes: 0, pendingFiles: 0, pendingBytes: 0 } as const;
const detail = 'unreachable: 500';
const waiting = {
  phase: 'prefetch',
  totalFiles: 5,
  totalBytes: 5_000,
  pendingFiles: 1,
  pendingBytes: 1_000,
  waitingFor: { files: 7, objects: [{ path: 'dags/odd\u001b[2J.py', detail }] },
} as const;

describe('a daemon that takes long to start', () => {
  /** What the starting daemon writes within 15 s, with this progress. */
  function within15s(isTerminal: boolean, progress?: typeof listing | typeof waiting): string {
    mock.timers.enable({ apis: ['setInterval', 'Date'] });
    try {
      let written = '';
      const write = (text: string): void => {
        written += text;
      };
      const err = {
        isTerminal,
        colours: false,
        columns: 80,
        lost: new AbortController().signal,
        write,
        rewrite: write,
      };
      const signs = new SignsOfLife({ err, now: Date.now });
      if (progress !== undefined) signs.show(progress);
      for (let second = 0; second < 15; second++) mock.timers.tick(1_000);
      signs.stop();
      mock.timers.tick(60_000);
      return written;
    } finally {
      mock.timers.reset();
    }
  }

  test('says something within 15 s, whatever it has come to', () => {
    assert.equal(within15s(false), 'dagmount: looking for the way to the store (10 s so far)\n');
    assert.equal(within15s(true), 'dagmount: looking for the way to the store (10 s so far)\n');
    assert.equal(within15s(false, listing), 'dagmount: listing the prefix (10 s so far)\n');
  });

  test('names what it waits for, in a line that no key can break', () => {
    const said = within15s(false, waiting);
    assert.match(
      said,
      /^dagmount: fetching, 4 of 5 files, .*; waits for dags\/odd.*\.py \(unreachable: 500\), and 6 more \(10 s so far\)\n$/,
    );
    assert.ok(!said.includes('\u001b'));
  });

  test('leaves a terminal to the line that is drawn there', () => {
    assert.equal(within15s(true, waiting), '');
  });
});
