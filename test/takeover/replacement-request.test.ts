import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Replacement } from '../../src/takeover/replacement.ts';
import { ReplacementRequest } from '../../src/takeover/replacement-request.ts';

function requests(isThere = true) {
  const sent: string[] = [];
  const told: Replacement[] = [];
  const client = {
    alive: () => isThere,
    send: (message: string) => {
      sent.push(message);
      return 0;
    },
  };
  return { request: new ReplacementRequest(client, (each) => void told.push(each)), sent, told };
}

describe('a request for another server', () => {
  test('is answered, to all who asked, when one is ready', async () => {
    const { request, sent, told } = requests();
    const both = [request.request(), request.request()];
    request.standsBy();
    assert.deepEqual(await Promise.all(both), [{ kind: 'stands-by' }, { kind: 'stands-by' }]);
    request.handOver();
    assert.deepEqual(sent, ['RESTART=1', 'RESTART=1', 'HANDOVER=1']);
    assert.deepEqual(told, [{ kind: 'stands-by' }], 'the server hands over once');
  });

  test('is answered with the reason when none could be', async () => {
    const { request, told } = requests();
    const asked = request.request();
    request.dropped('exit code 78');
    assert.deepEqual(await asked, { kind: 'dropped', reason: 'exit code 78' });
    const again = request.request();
    request.standsBy();
    assert.deepEqual(await again, { kind: 'stands-by' }, 'a request later is of its own');
    assert.equal(told.length, 2);
  });

  test('of the supervisor, by a signal, is told without having been asked for here', () => {
    const { request, told } = requests();
    request.standsBy();
    assert.deepEqual(told, [{ kind: 'stands-by' }]);
  });

  test('comes to nothing where the supervisor dies, and says so only where there was one', async () => {
    const { request, told } = requests();
    request.orphaned();
    assert.deepEqual(told, []);
    const asked = request.request();
    request.orphaned();
    const { kind } = await asked;
    assert.equal(kind, 'dropped');
  });

  test('without supervisor is refused', async () => {
    assert.deepEqual(await requests(false).request.request(), { kind: 'unsupervised' });
    assert.deepEqual(await new ReplacementRequest(undefined, () => undefined).request(), {
      kind: 'unsupervised',
    });
  });
});
