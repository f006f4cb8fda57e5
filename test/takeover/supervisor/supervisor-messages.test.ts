import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Order, OrderReader, says } from '../../../src/takeover/supervisor/supervisor-messages.ts';
import { documented, MachineProgram } from '../machine-program.ts';

const machine = new MachineProgram('plain');

function read(...pieces: readonly (string | Uint8Array)[]): readonly Order[] {
  const reader = new OrderReader();
  return pieces.flatMap((piece) => reader.read(Buffer.from(piece)));
}

test('every order of the document is read, by its word', () => {
  const orders = documented('message').filter(([, from]) => from === 'order');
  assert.equal(orders.length, 4);
  for (const [word = ''] of orders) {
    const kind = word.replaceAll('`', '').split(' ')[0];
    assert.deepEqual(
      read(`${kind} why it is\n`),
      [kind === 'hand-over' ? { kind } : { kind, reason: 'why it is' }],
      word,
    );
  }
});

test('what a server says, the supervisor understands as what is meant', (t) => {
  const said = [
    [says.keep('fuse'), 1, 'STORES_CONNECTION'],
    [says.keep('own-mount'), 1, 'STORES'],
    [says.drop('fuse'), 0, 'REMOVES_CONNECTION'],
    [says.drop('metrics'), 0, 'REMOVES'],
    [says.deadline({ deadlineMs: 60_000, abortFile: '/dev/null' }), 0, 'SETS_DEADLINE'],
    [says.status('two\nlines and a \0'), 0, 'HAS_NOTICE'],
    [says.alive, 0, 'IS_ALIVE'],
    [says.ready, 0, 'HAS_NOTICE'],
    [says.restart, 0, 'RESTART_ASKED'],
    [says.wantsStandby, 0, 'WANTS_STANDBY'],
    [says.standsBy, 0, 'STANDS_BY'],
    [says.handedOver, 0, 'HAS_HANDED_OVER'],
  ] as const;
  const lines = said.map(([text, descriptors, event]) => {
    const from = event === 'STANDS_BY' ? 'candidate' : 'server';
    return `message ${from} ${descriptors} ${Buffer.from(text).toString('hex')}`;
  });
  const events = machine.run(t, lines);
  assert.deepEqual(
    events?.map((line) => line.split(' ')[0]),
    events && said.map(([, , event]) => event),
  );
});

test('orders may be cut anywhere, also within a character', () => {
  const bytes = Buffer.from('go it was killed — signal 9\nhand-over \ndropped it was not ready\n');
  const whole = read(bytes);
  assert.deepEqual(whole, [
    { kind: 'go', reason: 'it was killed — signal 9' },
    { kind: 'hand-over' },
    { kind: 'dropped', reason: 'it was not ready' },
  ]);
  for (let at = 0; at <= bytes.length; at += 1)
    assert.deepEqual(read(bytes.subarray(0, at), bytes.subarray(at)), whole, `cut at ${at}`);
  assert.deepEqual(read(...[...bytes].map((byte) => Uint8Array.of(byte))), whole, 'byte by byte');
});

test('what is no order is ignored, and the order after it is read', () => {
  for (const line of ['', ' ', 'goes', 'GO x', 'hand over', '\0', 'unknown of a later build', '\u{fffd}go'])
    assert.deepEqual(read(`${line}\ngo x\n`), [{ kind: 'go', reason: 'x' }], JSON.stringify(line));
  assert.deepEqual(read(Uint8Array.of(0xff, 0xfe, 0x0a), 'go x\n'), [{ kind: 'go', reason: 'x' }]);
});

test('a line without end is dropped up to its end, in whatever pieces it comes, and takes no memory', () => {
  const flood = 'stuck '.padEnd(100_000, 'x');
  assert.deepEqual(read(`${flood}\ngo x\n`), [{ kind: 'go', reason: 'x' }]);
  assert.deepEqual(read('stuck ', ...Array.from({ length: 1_000 }, () => 'x'.repeat(1_000)), '\ngo x\n'), [
    { kind: 'go', reason: 'x' },
  ]);
  const longest = `stuck ${'x'.repeat(4_090)}`;
  assert.equal(read(`${longest}\n`).length, 1, 'as long as the supervisor says at most');
});
