import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clientCommands } from '../../src/cli/client-commands.ts';
import { inspectionCommands } from '../../src/cli/inspection-commands.ts';
import { figuresOf } from '../../src/cli/top/figures.ts';
import { Scrape } from '../../src/cli/top/scrape.ts';
import { viewLines } from '../../src/cli/top/view.ts';
import { leftRaw } from '../support/hostile-text.ts';
import { type Answering, fakeDaemon, Refusal } from './fake-daemon.ts';
import {
  assertClean,
  commands,
  documents,
  EVIL,
  history,
  hostileDaemon,
  METRICS,
  poisoned,
  shown,
  status,
  TIME,
} from './hostile-daemon.ts';
import { ran } from './recorded-shell.ts';

describe('the text of a daemon that is not to be trusted', () => {
  test('is tried with every command that asks one', () => {
    const tried = new Set(commands.map(([name]) => name));
    const all = [...clientCommands, ...inspectionCommands].map(({ name }) => name);
    assert.deepEqual(
      all.filter((name) => !tried.has(name) && name !== 'top'),
      [],
    );
  });

  for (const how of ['every text', 'every value'] as const) {
    for (const args of commands) {
      test(`reaches the terminal as escapes: ${args.join(' ')}, with ${how} hostile`, async (t) => {
        const socket = await hostileDaemon(t, how);
        const { out, err, exitCode } = await shown([...args, '--socket', socket]);
        assertClean(out, 'stdout');
        assertClean(err, 'stderr');
        if (how === 'every text') {
          assert.ok(out.length > 0, `${exitCode}: ${err}`);
          assert.match(out, /\\u202e|^Nothing new|^Published/);
        }
      });

      test(`is true data and safe as JSON: ${args.join(' ')}, with ${how} hostile`, async (t) => {
        const socket = await hostileDaemon(t, how);
        const { out, err } = await shown([...args, '--json', '--socket', socket]);
        assertClean(out, 'stdout');
        assertClean(err, 'stderr');
        const read = args[0] === 'events' ? out.split('\n').filter((line) => line !== '') : [out];
        const found = read.filter((text) => text !== '').map((text) => JSON.stringify(JSON.parse(text)));
        if (how === 'every text' && !['refresh', 'accept'].includes(args[0] ?? '')) {
          assert.ok(found.join('').includes('\u202e'), 'the character itself is in the data');
        }
      });
    }
  }

  test('brings no sequence but our own colours', async (t) => {
    for (const args of commands) {
      const socket = await hostileDaemon(t, 'every text');
      const { out } = await shown([...args, '--socket', socket], true);
      const own = new RegExp(`${String.fromCharCode(27)}\\[(?:1|2|22|31|32|33|39)m`, 'g');
      assertClean(out.replace(own, ''), args.join(' '));
    }
  });

  test('is clean where several daemons are compared', async (t) => {
    const sockets = [await hostileDaemon(t, 'every text'), await hostileDaemon(t, 'every value')];
    const named = sockets.flatMap((socket) => ['--socket', socket]);
    for (const args of [['status'], ['status', '--json'], ['problems'], ['ls', '--json']]) {
      const { out, err } = await shown([...args, ...named]);
      assertClean(out, 'stdout');
      assertClean(err, 'stderr');
    }
  });

  test('is clean where it refuses', async (t) => {
    for (const args of [...commands, ['why', 'b.py']]) {
      for (const code of ['held', 'never-seen', `code${EVIL}`]) {
        const refuse: Answering = () => {
          throw new Refusal(404, code, `no${EVIL}`, `do${EVIL}`);
        };
        const daemon = await fakeDaemon(
          t,
          Object.fromEntries(
            [
              ...Object.keys(documents),
              'GET /v1/events',
              'GET /metrics',
              'POST /v1/restart',
              'GET /v1/entries/b.py',
            ].map((asked) => [asked, refuse]),
          ),
        );
        for (const more of [[], ['--json'], ['--log-level=debug']]) {
          const { out, err } = await ran([...args, ...more, '--socket', daemon.socket]);
          assertClean(out, 'stdout');
          assertClean(err, 'stderr');
        }
      }
    }
  });

  test('is no candidate of completion where it is not printable', async (t) => {
    const socket = await hostileDaemon(t, 'every text');
    const { out } = await ran([
      'completion',
      '--candidates',
      'tree-paths',
      '--',
      '',
      'ls',
      '--socket',
      socket,
    ]);
    assert.equal(out, '');
  });

  for (const how of ['every text', 'every value'] as const) {
    test(`fills no screen of top, with ${how} hostile`, () => {
      const scrape = new Scrape(METRICS, 0);
      const moment = {
        status: poisoned(status, how) as typeof status,
        scrape,
        history: poisoned(history, how) as typeof history,
        changes: { added: [EVIL], changed: [EVIL], removed: [EVIL] },
      };
      const view = { moment, figures: figuresOf([scrape]), now: Date.parse(TIME), silentFor: undefined };
      for (const line of viewLines(view, { columns: 300, rows: 60 })) {
        for (const { text } of line) assert.deepEqual(leftRaw(text), []);
      }
    });
  }
});
