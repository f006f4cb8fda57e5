import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FromSession, SessionStart, ToSession } from '../../src/session/messages.ts';
import { serveSession } from '../../src/session/serve-session.ts';

type Serving = Parameters<typeof serveSession>;

/** A session without a thread: `send` delivers a message to it, and `told` has what it has sent. */
function sessionWith(start: Serving[1], rehearse: Serving[2]) {
  const told: FromSession[] = [];
  let deliver: (message: ToSession) => void = () => undefined;
  serveSession(
    {
      tell: (message) => told.push(message),
      onMessage: (listener) => {
        deliver = listener;
      },
      close: () => undefined,
    },
    start,
    rehearse,
  );
  return { told, send: (message: ToSession) => deliver(message) };
}

const START = { kind: 'start' } as SessionStart;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a session whose rehearsal fails says why, and can still start', async () => {
  let starts = 0;
  const { told, send } = sessionWith(
    () => {
      starts += 1;
      return {} as ReturnType<Serving[1]>;
    },
    async () => {
      throw new Error('the rehearsal broke');
    },
  );
  send({ kind: 'rehearse', start: START });
  await turn();
  const [rehearsed] = told;
  assert.equal(rehearsed?.kind, 'rehearsed');
  assert.match(rehearsed?.kind === 'rehearsed' ? (rehearsed.error ?? '') : '', /the rehearsal broke/);
  send(START);
  assert.equal(starts, 1);
});

test('a session that starts ends its rehearsal, and rehearses no more', async () => {
  const rehearsals: AbortSignal[] = [];
  const { told, send } = sessionWith(
    () => ({}) as ReturnType<Serving[1]>,
    async (_message, _environment, over) => {
      rehearsals.push(over);
      await new Promise((resolve) => over.addEventListener('abort', resolve));
    },
  );
  send({ kind: 'rehearse', start: START });
  send(START);
  await turn();
  assert.equal(rehearsals[0]?.aborted, true);
  send({ kind: 'rehearse', start: START });
  await turn();
  assert.equal(rehearsals.length, 1);
  assert.deepEqual(
    told.map(({ kind }) => kind),
    ['rehearsed', 'rehearsed'],
  );
});
