import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isJournal } from '../../src/cli/journal.ts';
import { LogFile, openLog } from '../../src/cli/log-file.ts';
import { createLogger, type LoggerOptions } from '../../src/cli/logger.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { TypedError } from './typed-error.ts';

async function logged(
  options: Partial<LoggerOptions>,
  log: (logger: Awaited<ReturnType<typeof createLogger>>) => void,
): Promise<string> {
  let text = '';
  const write = (line: string) => {
    text += line;
  };
  log(await createLogger({ level: 'info', format: 'json', colours: false, write, ...options }));
  return text;
}

describe('the log', () => {
  test('as JSON has one object a line, with level, time and message', async () => {
    const text = await logged({}, (log) => {
      log.info({ event: 'restored', files: 3 }, 'it is there');
      log.warn({ event: 'cache-order-lost' }, 'odd');
      log.debug({ event: 'listed' }, 'unseen');
    });
    const [first, second, end] = text.split('\n');
    const { time, ...rest } = JSON.parse(first ?? '');
    assert.deepEqual(rest, { level: 'info', event: 'restored', files: 3, msg: 'it is there' });
    assert.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.equal(JSON.parse(second ?? '').level, 'warn');
    assert.equal(end, '');
  });

  test("has systemd's priority before each line where it goes to the journal", async () => {
    for (const format of ['json', 'pretty'] as const) {
      const text = await logged({ format, level: 'trace', journal: true }, (log) => {
        log.debug({ event: 'listed' }, 'one');
        log.info({ event: 'restored' }, 'two');
        log.warn({ event: 'cache-order-lost' }, 'three');
        log.error({ event: 'backlog-crashed' }, 'four');
        log.fatal({ event: 'failed' }, 'five');
      });
      const lines = text.trimEnd().split('\n');
      assert.deepEqual(
        lines.map((line) => line.slice(0, 3)),
        ['<7>', '<6>', '<4>', '<3>', '<2>'],
      );
      if (format === 'json') for (const line of lines) JSON.parse(line.slice(3));
    }
  });

  test('knows the journal by the file that it is, not by the variable that a child inherits', async (t) => {
    const path = join(await temporaryDirectory(t), 'stream');
    const fd = openSync(path, 'w');
    t.after(() => closeSync(fd));
    const { dev, ino } = statSync(path);
    assert.equal(isJournal(`${dev}:${ino}`, fd), true);
    assert.equal(isJournal(`${dev}:${ino + 1}`, fd), false);
    assert.equal(isJournal(undefined, fd), false);
    assert.equal(isJournal(`${dev}:${ino}`, 1_000_000), false);
  });

  test('for people is one line a message', async () => {
    const text = await logged({ format: 'pretty' }, (log) =>
      log.warn({ event: 'unreadable-objects', files: 3 }, 'ready'),
    );
    assert.match(text, /^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: ready \{"files":3\}\n$/);
    const painted = await logged({ format: 'pretty', colours: true }, (log) =>
      log.info({ event: 'ready' }, 'ready'),
    );
    assert.ok(painted.includes('\u001b['));
  });

  test('tells an error with its code and causes, and its stack only at debug', async () => {
    const error = new TypedError('denied', 'refused', 'Grant it.');
    error.cause = new Error('inner');
    const { err } = JSON.parse(
      await logged({}, (log) => log.error({ event: 'backlog-crashed', err: error }, 'failed')),
    );
    assert.deepEqual(err, {
      type: 'Error',
      code: 'denied',
      message: 'refused',
      hint: 'Grant it.',
      cause: { type: 'Error', message: 'inner' },
    });
    const text = await logged({ level: 'debug' }, (log) =>
      log.error({ event: 'backlog-crashed', err: error }, 'failed'),
    );
    assert.match(JSON.parse(text).err.stack, /\n\s+at /);
  });
});

describe('the log file', () => {
  test('is for its owner alone, and goes on where it ended', async (t) => {
    const path = join(await temporaryDirectory(t), 'x.log');
    for (const line of ['one\n', 'two\n']) {
      const file = new LogFile(path);
      file.write(line);
      file.close();
    }
    assert.equal(readFileSync(path, 'utf8'), 'one\ntwo\n');
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test('is moved aside when it has grown, and the one before that is dropped', async (t) => {
    const path = join(await temporaryDirectory(t), 'x.log');
    const file = new LogFile(path, 10);
    for (const line of ['first\n', 'second\n', 'third\n', 'x\n']) file.write(line);
    file.close();
    assert.equal(readFileSync(path, 'utf8'), 'third\nx\n');
    assert.equal(readFileSync(`${path}.1`, 'utf8'), 'second\n');
  });

  test('takes a line that is longer than the whole file may be', async (t) => {
    const path = join(await temporaryDirectory(t), 'x.log');
    const file = new LogFile(path, 3);
    file.write('a long line\n');
    file.close();
    assert.equal(readFileSync(path, 'utf8'), 'a long line\n');
  });

  test('is no link to another file', async (t) => {
    const directory = await temporaryDirectory(t);
    symlinkSync(join(directory, 'other'), join(directory, 'x.log'));
    assert.throws(() => openLog(join(directory, 'x.log')), { code: 'ELOOP' });
  });

  test('that cannot be written costs the message and nothing else', {
    skip: statSync('/dev/full', { throwIfNoEntry: false }) === undefined ? 'there is no /dev/full' : false,
  }, () => {
    const file = new LogFile('/dev/full');
    assert.doesNotThrow(() => file.write('lost\n'));
    file.close();
  });
});
