import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, type TestContext, test } from 'node:test';
import { compilerMissing, MachineProgram } from './machine-program.ts';

const { SIGTERM, SIGHUP } = constants.signals;

const machine = new MachineProgram('plain');

/** Runs the commands, and returns each answer without the machine's internal state. */
function play(t: TestContext, ...lines: readonly string[]): readonly string[] {
  return (machine.run(t, lines) ?? []).map((line) => line.split(' | ').slice(0, -1).join(' | '));
}

describe('the clocks of the supervisor', { skip: compilerMissing }, () => {
  test('a server that says nothing for as long as the watchdog waits has a successor at once, which is told why', (t) => {
    const answers = play(
      t,
      'at SERVING ABSENT KEPT watchdog=3000',
      'time 1000',
      'time 1000',
      'time 1000',
      'time 1',
    );
    assert.deepEqual(answers.slice(2), [
      'SERVING ABSENT KEPT',
      [
        'STARTING ABSENT KEPT | RECORD_THREADS 0  | KILL_SERVER 0  | TELL_WAITING 0 ',
        'START_SERVER 1 silent: it gave no sign of life for 3000 ms | ORDER_STUCK 0 ',
      ].join(' | '),
    ]);
  });

  test('servers that die before they serve have successors after pauses that grow to 5 s, until readers get an error', (t) => {
    const died = 'event SERVER_DIED end=signal value=9 text=killed';
    const waits = [200, 400, 800, 1600, 3200, 5000, 5000];
    // When a process ends, its socket closes a moment before the supervisor sees that it is dead.
    const lines = waits.flatMap((wait) => ['event SERVER_CLOSED', died, `time ${wait - 1}`, 'time 1']);
    const answers = play(t, 'at STARTING ABSENT KEPT deadline=16000', ...lines);
    const [starting, resting] = ['STARTING ABSENT KEPT', 'RESTING ABSENT KEPT'];
    const states = answers.map((answer) => answer.split(' | ')[0]);
    assert.deepEqual(
      states.slice(0, -1),
      waits.flatMap(() => [starting, resting, resting, starting]).slice(0, -1),
    );
    assert.equal(
      answers.at(-1),
      'STARTING ABSENT ABORTED | ABORT_CONNECTION 0  | START_SERVER 7 died: killed',
      'readers have waited for 16 s',
    );
  });

  test('an exit code ends nothing once an earlier server has left a mount, also before any has reported that it is alive', (t) => {
    const answers = play(
      t,
      'at STARTING ABSENT KEPT served=0',
      'event SERVER_DIED end=signal value=9 text=killed',
      'time 200',
      'event SERVER_DIED end=code value=78 text=failed',
      'time 400',
    );
    assert.deepEqual(
      answers.map((answer) => answer.split(' | ')[0]),
      ['RESTING ABSENT KEPT', 'STARTING ABSENT KEPT', 'RESTING ABSENT KEPT', 'STARTING ABSENT KEPT'],
    );
  });

  test('an exit code says why there is no mount once the mount of an earlier server was aborted', (t) => {
    const answers = play(
      t,
      'at STARTING ABSENT KEPT served=0 deadline=1000 down=900',
      'event SERVER_DIED end=signal value=9 text=killed',
      'time 200',
      'event SERVER_DIED end=code value=78 text=failed',
    );
    assert.match(answers[1] ?? '', /^STARTING ABSENT ABORTED/);
    assert.match(answers[2] ?? '', /END_AS_SERVER/);
  });

  test('a server that serves after that makes the next pause none, and the one after it short', (t) => {
    const died = 'event SERVER_DIED end=signal value=9 text=killed';
    const answers = play(
      t,
      'at STARTING ABSENT KEPT pause=5000',
      'event IS_ALIVE',
      died,
      died,
      'time 99',
      'time 1',
    );
    assert.deepEqual(
      answers.map((answer) => answer.split(' | ')[0]),
      [
        'SERVING ABSENT KEPT',
        'STARTING ABSENT KEPT',
        'RESTING ABSENT KEPT',
        'RESTING ABSENT KEPT',
        'STARTING ABSENT KEPT',
      ],
    );
  });

  test('signals that come while no server can heed them reach the next one when it serves', (t) => {
    const answers = play(
      t,
      'at RESTING ABSENT KEPT rest=50',
      `event HUNG_UP signal=${SIGHUP}`,
      `event END_ASKED signal=${SIGTERM}`,
      'time 50',
      'event IS_ALIVE',
      // The server dies before it has ended, so its successor is asked to end, too.
      'event SERVER_DIED end=signal value=11 text=crashed',
      'event IS_ALIVE',
      'event SERVER_DIED end=code value=0',
    );
    assert.deepEqual(answers.slice(2), [
      'STARTING ABSENT KEPT | START_SERVER 1 ',
      `SERVING ABSENT KEPT | SEND_SIGNAL ${SIGHUP}  | TELL_STOPPING 0  | SEND_SIGNAL ${SIGTERM} `,
      'STARTING ABSENT KEPT | TELL_WAITING 0  | START_SERVER 2 died: crashed',
      `SERVING ABSENT KEPT | TELL_STOPPING 0  | SEND_SIGNAL ${SIGTERM} `,
      'ENDED ABSENT KEPT | END_AS_SERVER 0 ',
    ]);
  });

  test('a server that is being asked to end while a replacement takes its place leaves the wish to that', (t) => {
    const answers = play(
      t,
      'at SERVING REPLACEMENT KEPT',
      `event END_ASKED signal=${SIGTERM}`,
      'event STANDS_BY',
      'event HAS_HANDED_OVER',
      'time 0',
      'event IS_ALIVE',
    );
    assert.deepEqual(answers.slice(3), [
      'STARTING ABSENT KEPT | KILL_SERVER 0  | PROMOTE 0  | ORDER_GO 0 ',
      `SERVING ABSENT KEPT | TELL_STOPPING 0  | SEND_SIGNAL ${SIGTERM} `,
    ]);
  });

  test('a hand-over takes 5 s at most', (t) => {
    const steps = Array.from({ length: 5 }, () => ['event IS_ALIVE', 'time 1000']).flat();
    const answers = play(t, 'at SERVING REPLACEMENT KEPT', 'event STANDS_BY', ...steps);
    assert.equal(answers.at(-3), 'SERVING HANDING_OVER KEPT');
    assert.equal(answers.at(-1), 'STARTING ABSENT KEPT | KILL_SERVER 0  | PROMOTE 0  | ORDER_GO 0 ');
  });

  test('a standby that came to nothing is followed by another one after 10 s', (t) => {
    const answers = play(
      t,
      'at SERVING STANDBY KEPT watchdog=60000',
      'event CANDIDATE_DIED text=killed',
      'event WANTS_STANDBY',
      'time 9999',
      'event WANTS_STANDBY',
      'time 1',
      'event WANTS_STANDBY',
    );
    assert.deepEqual(answers, [
      'SERVING ABSENT KEPT | DROP_CANDIDATE 0 ',
      ...Array.from({ length: 4 }, () => 'SERVING ABSENT KEPT'),
      'SERVING STANDBY KEPT | START_STANDBY 1 ',
    ]);
  });

  test('a replacement has 60 s to be ready, or as long as the deadline where that is longer', (t) => {
    const late =
      'SERVING ABSENT KEPT | DROP_CANDIDATE 0  | ORDER_DROPPED 0 it was not ready in time | TELL_READY 0 ';
    const [, usual] = play(
      t,
      'at SERVING REPLACEMENT KEPT watchdog=200000 deadline=1000 candidate=59999',
      'time 1',
      'time 1',
    );
    assert.equal(usual, late);
    const [still, longer] = play(
      t,
      'at SERVING REPLACEMENT KEPT watchdog=200000 deadline=90000 candidate=60000',
      'time 30000',
      'time 1',
    );
    assert.deepEqual([still, longer], ['SERVING REPLACEMENT KEPT', late]);
  });

  test('systemd learns of a reload before the replacement starts, because a failed start ends the reload', (t) => {
    for (const [candidate, dropped] of [
      ['ABSENT', ''],
      ['STANDBY', ' | DROP_CANDIDATE 0 '],
    ] as const) {
      const answers = play(
        t,
        `at SERVING ${candidate} KEPT`,
        'event RESTART_ASKED',
        'event CANDIDATE_NOT_STARTED',
      );
      assert.deepEqual(answers, [
        `SERVING REPLACEMENT KEPT${dropped} | TELL_RELOADING 0  | START_REPLACEMENT 1 restart-asked: it was asked to restart`,
        'SERVING ABSENT KEPT | ORDER_DROPPED 0 it cannot be started | TELL_READY 0 ',
      ]);
    }
  });

  test('a server that closed its socket is left to another supervisor after a second, unless it dies', (t) => {
    const closed = ['at SERVING ABSENT KEPT', 'event SERVER_CLOSED', 'time 1000'] as const;
    const left = play(t, ...closed, 'time 1');
    assert.equal(left.at(-1), 'ENDED ABSENT KEPT | END_WELL 0 ');
    const died = play(t, ...closed, 'event SERVER_DIED end=signal value=9 text=killed', 'time 1000');
    assert.deepEqual(died.slice(2), [
      'STARTING ABSENT KEPT | TELL_WAITING 0  | START_SERVER 1 died: killed',
      'STARTING ABSENT KEPT',
    ]);
  });

  test('a start that takes long before it mounts has the whole deadline from the mount on', (t) => {
    for (const [before, connection] of [
      ['STARTING ABSENT NO_CONNECTION', 'KEPT'],
      ['STARTING STANDBY NO_CONNECTION', 'KEPT'],
      // A server that cannot resume the mount that it inherited makes a new one in its place.
      ['STARTING ABSENT KEPT', 'KEPT'],
      ['STARTING ABSENT ABORTED', 'REMADE'],
      ['STARTING ABSENT REMADE', 'REMADE'],
      ['STARTING STANDBY REMADE', 'REMADE'],
    ] as const) {
      const at = `at ${before} deadline=60000 down=90000 silent=90000`;
      const mounts = [at, 'event STORES_CONNECTION name=fuse', 'time 20', 'time 59980'];
      const answers = play(t, ...mounts, 'event IS_ALIVE');
      assert.deepEqual(
        answers.slice(1),
        [`STARTING ABSENT ${connection}`, `STARTING ABSENT ${connection}`, 'SERVING ABSENT KEPT'],
        before,
      );
      const late = play(t, ...mounts, 'time 1').at(-1) ?? '';
      assert.match(late, new RegExp(`^RESTING ABSENT ${connection} .*KILL_SERVER`), before);
    }
  });

  test('a server of a mount that is made anew has 60 s, however short the deadline', (t) => {
    const answers = play(
      t,
      'at STARTING ABSENT ABORTED deadline=1000 down=5000 silent=30000',
      'event STORES_CONNECTION name=fuse',
      'time 60000',
      'event IS_ALIVE',
      'time 1000',
    );
    assert.deepEqual(answers, [
      'STARTING ABSENT REMADE | KEEP 0 fuse | BEGIN_CONNECTION 0 ',
      'STARTING ABSENT REMADE',
      'SERVING ABSENT KEPT',
      'SERVING ABSENT KEPT',
    ]);
  });

  test('a pause ends in every state, whatever became of the server before it', (t) => {
    const states = ['ABSENT', 'STANDBY', 'REPLACEMENT', 'HANDING_OVER'].flatMap((candidate) =>
      ['NO_CONNECTION', 'KEPT', 'ABORTED', 'REMADE'].flatMap((connection) =>
        [0, 1].map(
          (isClosed) =>
            `at RESTING ${candidate} ${connection} rest=1000 isClosed=${isClosed} closed=5000 silent=90000`,
        ),
      ),
    );
    const answers = play(t, ...states.flatMap((state) => [state, 'time 1000']));
    for (const [at, answer] of answers.entries()) assert.match(answer, /^STARTING /, states[at]);
  });
});
