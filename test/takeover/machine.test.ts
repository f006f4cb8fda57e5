import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, test } from 'node:test';
import { type Build, cellsOf, documented, MachineProgram } from './machine-program.ts';

const { SIGHUP, SIGINT, SIGTERM } = constants.signals;

const servers = ['STARTING', 'SERVING', 'LEAVING', 'RESTING', 'UNREAPED', 'ENDED'] as const;
const candidates = ['ABSENT', 'STANDBY', 'REPLACEMENT', 'HANDING_OVER'] as const;
const connections = ['NO_CONNECTION', 'KEPT', 'ABORTED', 'REMADE'] as const;

/** The states, by the machine's names, as the table calls them. */
const words: Readonly<Record<string, string>> = {
  ABSENT: 'none',
  HANDING_OVER: 'handing over',
  NO_CONNECTION: 'none',
};
const wordOf = (name: string): string => words[name] ?? name.toLowerCase();

/** The machine's events, by the words that the table has for them. */
const events: Readonly<Record<string, string>> = {
  'stores the connection': 'STORES_CONNECTION',
  'stores another descriptor': 'STORES',
  'removes the connection': 'REMOVES_CONNECTION',
  'removes another descriptor': 'REMOVES',
  'sets the deadline': 'SETS_DEADLINE',
  'server is alive': 'IS_ALIVE',
  'server has a notice': 'HAS_NOTICE',
  'server wants a standby': 'WANTS_STANDBY',
  'server has handed over': 'HAS_HANDED_OVER',
  'candidate stands by': 'STANDS_BY',
  'malformed or unknown message': 'MEANS_NOTHING',
  'restart is asked for': 'RESTART_ASKED',
  'SIGTERM, SIGINT, SIGQUIT': 'END_ASKED',
  SIGHUP: 'HUNG_UP',
  'SIGUSR1 of systemd': 'LEAVE_ASKED',
  'server died': 'SERVER_DIED',
  'server closed its socket': 'SERVER_CLOSED',
  'server cannot be started': 'SERVER_NOT_STARTED',
  'candidate died': 'CANDIDATE_DIED',
  'candidate cannot be started': 'CANDIDATE_NOT_STARTED',
  'server is silent': 'SILENT',
  'pause is over': 'PAUSE_OVER',
  'hand-over is over': 'HANDOVER_OVER',
  'server lives on elsewhere': 'CLOSED_OVER',
  'no exit status came': 'UNREAPED_OVER',
  'candidate is late': 'CANDIDATE_LATE',
  'candidate has no connection': 'CANDIDATE_USELESS',
};

/** The data that the conditions of the table test. */
interface Data {
  readonly end: 'unknown' | 'code' | 'signal' | 'stranger';
  readonly value: number;
  readonly served: boolean;
  readonly passed: number;
  readonly heldEnding: boolean;
  readonly isLate: boolean;
  readonly standbyFailed: boolean;
}

interface State {
  readonly server: string;
  readonly candidate: string;
  readonly connection: string;
}

const usual: Data = {
  end: 'unknown',
  value: 0,
  served: true,
  passed: 0,
  heldEnding: false,
  isLate: false,
  standbyFailed: false,
};

/** All data that an event's rows may test, in every combination. */
function variantsOf(event: string): readonly Data[] {
  const both = [false, true];
  if (event === 'WANTS_STANDBY') return both.map((standbyFailed) => ({ ...usual, standbyFailed }));
  if (event === 'PAUSE_OVER')
    return both.flatMap((isLate) => both.map((heldEnding) => ({ ...usual, isLate, heldEnding })));
  if (event !== 'SERVER_DIED') return [usual, { ...usual, heldEnding: true }];
  const ends = [
    ...(['unknown', 'stranger'] as const).map((end) => ({ end, value: 0 })),
    ...[0, 1, 128 + SIGTERM].map((value) => ({ end: 'code', value }) as const),
    ...[SIGTERM, 9].map((value) => ({ end: 'signal', value }) as const),
  ];
  return ends.flatMap((end) =>
    both.flatMap((served) => [0, SIGTERM].map((passed) => ({ ...usual, ...end, served, passed }))),
  );
}

function holds(condition: string, { connection }: State, data: Data): boolean {
  const { end, value, served, passed } = data;
  const wasMeant =
    (end === 'code' && (value === 0 || !served)) ||
    (passed !== 0 && ((end === 'code' && value === 128 + passed) || (end === 'signal' && value === passed)));
  switch (condition) {
    case '':
      return true;
    case 'no standby failed within 10 s':
      return !data.standbyFailed;
    case 'successor is due':
      return (
        !wasMeant && (['KEPT', 'REMADE'].includes(connection) || (connection === 'ABORTED' && passed === 0))
      );
    case 'exit status is known':
      return end === 'code' || end === 'signal';
    case 'it is no child':
      return end === 'stranger';
    case 'deadline has passed':
      return data.isLate;
    case 'deadline has passed, an ending signal is held':
      return data.isLate && data.heldEnding;
    default:
      throw new Error(`the table has a condition that this test does not know: ${condition}`);
  }
}

const isIn = (cell: string, state: string): boolean =>
  cell === 'any' || cell.split(', ').includes(wordOf(state));

/** The machine's actions for a row, without those that stay within it (clocks, held signals). */
function actionsOf(row: readonly string[], event: string, { candidate }: State, data: Data): string[] {
  const drop =
    candidate === 'ABSENT'
      ? []
      : candidate === 'STANDBY'
        ? ['DROP_CANDIDATE']
        : ['DROP_CANDIDATE', 'ORDER_DROPPED', 'TELL_READY'];
  const recorded = row[8]?.includes('record threads') === true;
  const emitted: Readonly<Record<string, readonly string[]>> = {
    keep: ['KEEP'],
    forget: ['FORGET'],
    'tell systemd': ['PASS_NOTICE'],
    'tell systemd that readers wait': ['TELL_WAITING'],
    'tell systemd of a reload': ['TELL_RELOADING'],
    'tell systemd that it is ready': ['TELL_READY'],
    'start server': ['START_SERVER'],
    'start standby': ['START_STANDBY'],
    'start replacement': ['START_REPLACEMENT'],
    'record threads': ['RECORD_THREADS'],
    'kill server': ['KILL_SERVER'],
    'drop candidate': drop,
    'promote candidate': ['PROMOTE'],
    'order hand-over': ['ORDER_HAND_OVER'],
    'order go': ['ORDER_GO'],
    'order stuck': recorded ? ['ORDER_STUCK'] : [],
    'order dropped': ['ORDER_DROPPED'],
    'send signal': event === 'HUNG_UP' ? ['SEND_SIGNAL'] : ['TELL_STOPPING', 'SEND_SIGNAL'],
    'send held signals': data.heldEnding ? ['TELL_STOPPING', 'SEND_SIGNAL'] : [],
    'send held ending signals': data.heldEnding ? ['TELL_STOPPING', 'SEND_SIGNAL'] : [],
    'abort connection': ['ABORT_CONNECTION'],
    'end as the server did': ['END_AS_SERVER'],
    'exit 0': ['END_WELL'],
    'exit 143': ['END_AS_TERMINATED'],
    'begin connection': ['BEGIN_CONNECTION'],
    'set deadline': ['SET_DEADLINE'],
    'reset clocks': [],
    'hold signal': [],
    'end hand-over': [],
    pause: [],
    'pause for 1 s': [],
    'await its end': [],
  };
  const named = (row[8] ?? '').split(', ').filter((action) => action !== '');
  return named.flatMap((action) => {
    const all = emitted[action];
    assert.ok(all, `the table has an action that this test does not know: ${action}`);
    return all;
  });
}

interface Step {
  readonly lines: readonly [string, string];
  readonly wanted: string;
  readonly row: readonly string[] | undefined;
}

function stepOf(table: readonly (readonly string[])[], state: State, event: string, data: Data): Step {
  const held = data.heldEnding ? 2 ** SIGINT : 0;
  const fields = [
    `served=${Number(data.served)} passed=${data.passed} held=${held} deadline=1000`,
    `down=${data.isLate ? 2000 : 0} standbyPause=${data.standbyFailed ? 5000 : 0} rest=1`,
  ].join(' ');
  const signal = event === 'HUNG_UP' ? SIGHUP : SIGTERM;
  const row =
    state.server === 'ENDED'
      ? undefined
      : table.find(
          ([what = '', server = '', candidate = '', connection = '', condition = '']) =>
            events[what] === event &&
            isIn(server, state.server) &&
            isIn(candidate, state.candidate) &&
            isIn(connection, state.connection) &&
            holds(condition, state, data),
        );
  const becomes = (at: number, names: readonly string[], before: string): string =>
    names.find((name) => wordOf(name) === row?.[at]) ?? before;
  const after = [
    becomes(5, servers, state.server),
    becomes(6, candidates, state.candidate),
    becomes(7, connections, state.connection),
  ];
  return {
    lines: [
      `at ${state.server} ${state.candidate} ${state.connection} ${fields}`,
      `event ${event} name=x text=/y signal=${signal} deadline=7 end=${data.end} value=${data.value}`,
    ],
    wanted: [after.join(' '), ...(row === undefined ? [] : actionsOf(row, event, state, data))].join(' | '),
    row,
  };
}

const stateAndActions = (line: string): string =>
  line
    .split(' | ')
    .slice(0, -1)
    .map((part, at) => (at === 0 ? part : part.split(' ')[0]))
    .join(' | ');

for (const build of ['plain', 'sanitized'] as const satisfies readonly Build[]) {
  describe(`the state machine of the supervisor, ${build === 'plain' ? 'as it is built' : 'under AddressSanitizer and UndefinedBehaviorSanitizer'}`, () => {
    const machine = new MachineProgram(build);

    test('has the rows of its document, and does in every state, by every event, what they say', (t) => {
      const table = documented('event', 'server');
      const rows = machine.run(t, ['table']);
      if (rows === undefined) return;
      assert.deepEqual(rows.filter((line) => line !== '').map(cellsOf), table);
      const steps = servers.flatMap((server) =>
        candidates.flatMap((candidate) =>
          connections.flatMap((connection) =>
            Object.values(events).flatMap((event) =>
              variantsOf(event).map((data) => stepOf(table, { server, candidate, connection }, event, data)),
            ),
          ),
        ),
      );
      const got = machine.run(
        t,
        steps.flatMap(({ lines }) => lines),
      );
      assert.equal(got?.length, steps.length);
      for (const [at, { lines, wanted }] of steps.entries())
        assert.equal(stateAndActions(got?.[at] ?? ''), wanted, lines.join('\n'));
      const used = new Set(steps.map(({ row }) => row));
      assert.deepEqual(
        table.filter((row) => !used.has(row)),
        [],
        'every row is met',
      );
    });

    test('never has more than one server and one candidate, and leaves none of them behind', (t) => {
      const kinds = Object.values(events).filter((event) => event !== 'MEANS_NOTHING');
      for (let seed = 1; seed <= 40; seed += 1) wander((lines) => machine.run(t, lines) ?? [], kinds, seed);
    });
  });
}

/** Sends random events one after another, from the start; counts the processes that the actions start and end. */
function wander(
  run: (lines: readonly string[]) => readonly string[],
  kinds: readonly string[],
  seed: number,
): void {
  let random = seed;
  const next = (below: number): number => {
    random = (random * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((random / 2 ** 31) * below);
  };
  const lines = Array.from({ length: 400 }, () => {
    if (next(3) === 0) return `time ${next(2) === 0 ? 20 : 1000}`;
    const end = ['unknown', 'code', 'signal', 'stranger'][next(4)];
    return `event ${kinds[next(kinds.length)]} name=fuse text=/y signal=${SIGTERM} deadline=${next(20_000)} end=${end} value=${next(2)}`;
  });
  const answers = run(['at STARTING ABSENT NO_CONNECTION', ...lines]);
  let [server, candidate] = [true, false];
  for (const [at, answer] of answers.entries()) {
    const [state = '', ...actions] = answer.split(' | ').slice(0, -1);
    if (lines[at]?.startsWith('event SERVER_DIED') === true) server = false;
    for (const action of actions.map((each) => each.split(' ')[0])) {
      if (action === 'KILL_SERVER') server = false;
      if (action === 'START_SERVER' || action === 'PROMOTE') {
        assert.equal(server, false, `${lines[at]}: ${answer}`);
        server = true;
      }
      if (action === 'START_STANDBY' || action === 'START_REPLACEMENT') {
        assert.equal(candidate, false, `${lines[at]}: ${answer}`);
        candidate = true;
      }
      if (action === 'PROMOTE' || action === 'DROP_CANDIDATE') {
        assert.equal(candidate, true, `${lines[at]}: ${answer}`);
        candidate = false;
      }
    }
    if (lines[at]?.startsWith('event CANDIDATE_NOT_STARTED') === true && / ABSENT /.test(state))
      candidate = false;
    assert.equal(candidate, !/ ABSENT /.test(state), `${lines[at]}: ${answer}`);
    if (state.startsWith('ENDED')) return;
    // If a server starts within the event that reports a death, that death is the previous server's.
    server = /^(STARTING|SERVING|LEAVING)/.test(state);
  }
}
