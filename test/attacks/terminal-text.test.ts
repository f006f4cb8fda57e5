import assert from 'node:assert/strict';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isPrintable } from '../../src/base/printable.ts';
import { processOf } from '../../src/host/process.ts';
import { statusOf } from '../control/fixture.ts';
import { dagmount } from '../support/mount.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';
import { Attacker, attackImpossible } from './attacker.ts';

/** Sets the window title, clears the screen, reverses the text that follows, and hides itself. */
const EVIL = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u202egnp.exe\u200b\r\u2028';

/** Answers every request at a socket with one document, as this user's daemon would. */
const SERVER = `
import json, os, socketserver, sys
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline().strip(): pass
        body = open(sys.argv[2], 'rb').read()
        head = 'HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n' % len(body)
        self.wfile.write(head.encode() + body)
os.umask(0o077)
socketserver.ThreadingUnixStreamServer(sys.argv[1], Handler).serve_forever()
`;

/** The same document, with text that a terminal obeys appended to each of its strings. */
function poisoned(value: unknown): unknown {
  if (typeof value === 'string') return /^\d{4}-\d\d-\d\dT/.test(value) ? value : `${value}${EVIL}`;
  if (Array.isArray(value)) return value.map(poisoned);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, poisoned(inner)]));
}

function assertClean(text: string, what: string): void {
  for (const line of text.split('\n')) {
    assert.ok(isPrintable(line.replaceAll('\t', ' ')), `${what}: ${JSON.stringify(line)}`);
  }
}

test('9: what another user says of a mount, by its table, its state or its socket, moves no terminal of root', {
  skip: attackImpossible,
}, async (t) => {
  const attacker = await Attacker.come(t);
  const environment = { XDG_RUNTIME_DIR: await temporaryDirectory(t) };
  const target = join(attacker.directory, `nine${EVIL}`);
  mkdirSync(target);
  attacker.mount(target, `s3://bucket/${EVIL}/`);
  const socket = join(attacker.runtimeDirectory, 'nine.sock');
  const made = attacker.run(
    `mkdir -p $R/aaaaaaaaaaaa && chmod 700 $R && cat >serve.py <<'END'\n${SERVER}\nEND`,
  );
  assert.equal(made.status, 0, made.output);
  const answer = JSON.stringify(poisoned(statusOf())).replaceAll("'", '');
  attacker.run(`printf '%s' '${answer}' >answer.json`);
  const server = attacker.start(`exec python3 serve.py ${socket} answer.json`);
  const alive = await waitFor('the socket of the attacker', () =>
    statSync(socket, { throwIfNoEntry: false })?.uid === attacker.uid ? processOf(server.pid) : undefined,
  );
  const state = {
    ...alive,
    source: `s3://bucket/${EVIL}/`,
    target,
    ready: true,
    startedAt: '2026-01-01T00:00:00.000Z',
    socket,
    driver: `kernel${EVIL}`,
  };
  attacker.run(`printf '%s' '${JSON.stringify(state)}' >$R/aaaaaaaaaaaa/state.json`);
  let shown = '';
  for (const args of [
    ['list'],
    ['list', '--json'],
    ['status', '--socket', socket],
    ['status', '--json', '--socket', socket],
    ['status', '--mount', target],
    ['generations', '--socket', socket],
    ['problems', '--socket', socket],
    ['ls', '--socket', socket],
    ['why', 'a.py', '--socket', socket],
    ['cache', 'stats', '--socket', socket],
    ['refresh', '--wait', '--socket', socket],
    ['accept', '--socket', socket],
    ['unmount', target],
  ]) {
    const { stdout, stderr } = await dagmount(args, environment, 30_000);
    assertClean(stdout, `stdout of ${args[0]}`);
    assertClean(stderr, `stderr of ${args[0]}`);
    shown += stdout + stderr;
  }
  // The output contains the hostile text, as escapes.
  assert.match(shown, /\\u202e/);
  assert.match(shown, /\\x1b\[2J/);
});
