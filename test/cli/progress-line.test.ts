import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ProgressLine } from '../../src/cli/progress-line.ts';
import type { Progress } from '../../src/server/server-port.ts';
import { recordingOutput } from './recorded-shell.ts';

/** A terminal that understands a carriage return, and nothing else. */
class Terminal {
  written = '';
  now = 0;
  readonly line: ProgressLine;

  constructor(isTerminal = true, columns = 80) {
    const write = (text: string) => {
      this.written += text;
    };
    this.line = new ProgressLine({
      err: recordingOutput(write, { isTerminal, columns }),
      now: () => this.now,
    });
  }

  get screen(): readonly string[] {
    return this.written.split('\n').map((row) => {
      let shown = '';
      for (const part of row.split('\r')) shown = part + shown.slice(part.length);
      return shown.trimEnd();
    });
  }

  show(progress: Partial<Progress>, at: number): void {
    this.now = at;
    this.line.show({
      phase: 'prefetch',
      totalFiles: 5_000,
      totalBytes: 34 * 2 ** 20,
      pendingFiles: 4_880,
      pendingBytes: 33 * 2 ** 20,
      ...progress,
    });
  }
}

describe('the progress line', () => {
  test('shows files, bytes and the rate, over and over on one line', () => {
    const terminal = new Terminal();
    terminal.show({ phase: 'listing' }, 0);
    assert.deepEqual(terminal.screen, ['dagmount: listing the prefix']);
    terminal.show({}, 200);
    assert.deepEqual(terminal.screen, ['dagmount: fetching, 120 of 5,000 files, 1.0 MiB of 34.0 MiB']);
    terminal.show({ pendingFiles: 4_000, pendingBytes: 32 * 2 ** 20 }, 700);
    assert.deepEqual(terminal.screen, [
      'dagmount: fetching, 1,000 of 5,000 files, 2.0 MiB of 34.0 MiB, 2.0 MiB/s',
    ]);
  });

  test('is drawn ten times a second at most', () => {
    const terminal = new Terminal();
    for (let at = 0; at < 1_000; at += 5) terminal.show({}, at);
    assert.equal(terminal.written.split('\r').length - 1, 10);
  });

  test('is erased when the mount is ready', () => {
    const terminal = new Terminal();
    terminal.show({}, 0);
    terminal.show({ phase: 'ready' }, 1);
    assert.deepEqual(terminal.screen, ['']);
    const { written } = terminal;
    terminal.show({ phase: 'ready' }, 500);
    assert.equal(terminal.written, written);
  });

  test('stays below what else is written', () => {
    const terminal = new Terminal();
    terminal.show({ phase: 'listing' }, 0);
    terminal.line.around(() => {
      terminal.written += 'a message\n';
    });
    assert.deepEqual(terminal.screen, ['a message', 'dagmount: listing the prefix']);
  });

  test('is never as wide as the terminal', () => {
    const terminal = new Terminal(true, 20);
    terminal.show({}, 0);
    assert.deepEqual(terminal.screen, ['dagmount: fetching,']);
  });

  test('is drawn without escape codes', () => {
    const terminal = new Terminal();
    terminal.show({}, 0);
    terminal.line.erase();
    assert.ok(!terminal.written.includes('\u001b'));
  });

  test('is nothing where there is no terminal', () => {
    const terminal = new Terminal(false);
    terminal.show({}, 0);
    terminal.line.around(() => {
      terminal.written += 'a message\n';
    });
    terminal.line.erase();
    assert.equal(terminal.written, 'a message\n');
  });
});
