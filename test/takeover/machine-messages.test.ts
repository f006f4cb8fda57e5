import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { documented, MachineProgram } from './machine-program.ts';

type From = 'server' | 'candidate';

const machine = new MachineProgram('sanitized', 'plain');

function eventsOf(
  t: TestContext,
  messages: readonly (readonly [from: From, descriptors: number, text: string | Buffer])[],
): readonly string[] | undefined {
  const lines = messages.map(([from, descriptors, text]) =>
    `message ${from} ${descriptors} ${Buffer.from(text).toString('hex')}`.trimEnd(),
  );
  return machine.run(t, lines);
}

test('every message of the document is understood from the process that says it, and from no other', (t) => {
  const rows = documented('message').filter(([, from]) => from !== 'order');
  assert.ok(rows.length >= 10);
  const said = rows.flatMap(([word = '', from, descriptor]) =>
    (['server', 'candidate'] as const).map((by) => {
      const text = word
        .replaceAll('`', '')
        .replace('\\n', '\n')
        .replace('<name>', 'lock')
        .replace('<ms>', '60000')
        .replace('<path>', '/dev/null')
        .replace('<text>', 'all is well');
      return { by, text, descriptors: descriptor === 'one' ? 1 : 0, isRead: from === 'both' || from === by };
    }),
  );
  const events = eventsOf(
    t,
    said.map(({ by, descriptors, text }) => [by, descriptors, text]),
  );
  if (events === undefined) return;
  for (const [at, { by, text, isRead }] of said.entries())
    assert.equal(!events[at]?.startsWith('MEANS_NOTHING'), isRead, `${by}: ${text}: ${events[at]}`);
});

test('words of other builds mean what they meant', (t) => {
  const events = eventsOf(t, [
    ['server', 1, 'FDSTORE=1\nFDNAME=fuse'],
    ['server', 1, 'FDSTORE=1\nFDNAME=own-mount'],
    ['server', 0, 'FDSTOREREMOVE=1\nFDNAME=fuse'],
    ['server', 0, 'WATCHDOG=1'],
    ['server', 0, 'WATCHDOG=1\nWORD_OF_A_LATER_BUILD=1'],
    ['server', 0, 'SPARE=1'],
    ['candidate', 0, 'STANDBY=1'],
    ['server', 0, 'HANDOVER=1'],
    ['server', 0, 'RESTART=1'],
    ['server', 0, 'TAKEOVER=60000 /sys/fs/fuse/connections/47/abort'],
    ['server', 0, 'STATUS=Generation 7, 20 files'],
  ]);
  if (events === undefined) return;
  assert.deepEqual(events, [
    'STORES_CONNECTION fuse 0 0',
    'STORES own-mount 0 0',
    'REMOVES_CONNECTION fuse 0 0',
    'IS_ALIVE - 0 0',
    'IS_ALIVE - 0 0',
    'WANTS_STANDBY - 0 0',
    'STANDS_BY - 0 0',
    'HAS_HANDED_OVER - 0 0',
    'RESTART_ASKED - 0 0',
    'SETS_DEADLINE - 60000 33',
    'HAS_NOTICE - 0 29',
  ]);
});

test('what is malformed, cut or unknown means nothing', (t) => {
  const long = 'x'.repeat(4_000);
  const malformed = [
    ...['', '\n', '=', 'WATCHDOG', 'WATCHDOG=', 'WATCHDOG=10', 'WATCHDOG=1 ', ' WATCHDOG=1', 'watchdog=1'],
    ...['SPARE=2', 'STANDBYE=1', 'RESTART=1x', 'HANDOVER=1\0', 'READY=0', 'UNKNOWN=1', long],
    ...['FDSTOREREMOVE=1', 'FDSTOREREMOVE=1\n', 'FDSTOREREMOVE=1\nFDNAME=', 'FDSTOREREMOVE=1\nNAME=fuse'],
    ...['TAKEOVER=', 'TAKEOVER=1', 'TAKEOVER=1 ', 'TAKEOVER=x /dev/null', 'TAKEOVER=-1 /dev/null'],
    ...['TAKEOVER=1 dev/null', 'TAKEOVER=99999999999999999999 /dev/null', 'TAKEOVER=1 /a\nb'],
    `TAKEOVER=1 /${'x'.repeat(5_000)}`,
  ].map((text) => ['server', 0, text] as const);
  const named = ['', 'fuse2', 'FUSE', 'fu se', 'fuse\0', '../fuse', 'f'.repeat(32), 'é', 'fuse=', long];
  const stores = named.map((name) => ['server', 1, `FDSTORE=1\nFDNAME=${name}`] as const);
  const counts = [
    ['server', 0, 'FDSTORE=1\nFDNAME=fuse'],
    ['server', 2, 'FDSTORE=1\nFDNAME=fuse'],
    ['server', 1, 'FDSTOREREMOVE=1\nFDNAME=fuse'],
    ['server', 1, 'WATCHDOG=1'],
    ['server', 1, 'FDSTORE=1FDNAME=fuse'],
    ['server', 1, 'FDNAME=fuse\nFDSTORE=1'],
  ] as const;
  const all = [...malformed, ...stores, ...counts];
  const events = eventsOf(t, all);
  if (events === undefined) return;
  for (const [at, message] of all.entries())
    assert.equal(events[at], 'MEANS_NOTHING - 0 0', JSON.stringify(message));
});

test('random bytes, and messages with a byte changed or cut off, are read within their bounds', (t) => {
  const words = [
    'FDSTORE=1\nFDNAME=fuse',
    'TAKEOVER=60000 /dev/null',
    'STATUS=x',
    'FDSTOREREMOVE=1\nFDNAME=lock',
  ];
  let random = 7;
  const next = (below: number): number => {
    random = (random * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((random / 2 ** 31) * below);
  };
  const messages = Array.from({ length: 4_000 }, (_, index) => {
    if (index % 4 === 0) return Buffer.from(Array.from({ length: next(64) }, () => next(256)));
    const text = Buffer.from(words[next(words.length)] ?? '');
    text[next(text.length)] = next(256);
    return index % 4 === 1 ? text : text.subarray(0, next(text.length + 1));
  });
  const events = eventsOf(
    t,
    messages.map((text) => [next(2) === 0 ? 'server' : 'candidate', next(3), text]),
  );
  if (events === undefined) return;
  assert.equal(events.length, messages.length);
});
