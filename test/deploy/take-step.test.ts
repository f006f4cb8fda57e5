import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readStep, type TakenStep } from '../../src/deploy/current-step.ts';
import { type StepProposal, takeStep } from '../../src/deploy/take-step.ts';
import { releaseKeys } from '../../src/release/index.ts';
import { examplePayload } from '../release/example-payload.ts';
import { LostAnswer, MemoryReleaseStore } from './memory-release-store.ts';

const environment = 'production';
const proposal: StepProposal = {
  action: 'deploy',
  release: examplePayload.release,
  manifest: examplePayload.manifest,
  notBefore: undefined,
  allowDeletions: false,
  author: 'a',
  message: 'm',
  commit: undefined,
  url: undefined,
  changes: { added: 0, changed: 1, removed: 0 },
};

function step(
  store: MemoryReleaseStore,
  message: string,
  now = 1_000,
  more: Partial<StepProposal> = {},
): Promise<TakenStep> {
  return takeStep({
    store,
    root: 'root',
    environment,
    propose: async () => ({ ...proposal, message, ...more }),
    sign: async () => [],
    mayReplaceArmed: false,
    now: () => now,
    pause: async () => undefined,
    signal: new AbortController().signal,
  });
}

/** The steps of the log. Checks that they are one chain, and that the ref is its last step, or one step further. */
function chain(store: MemoryReleaseStore): readonly TakenStep[] {
  const prefix = releaseKeys.log(environment);
  const steps = [...store.objects.keys()]
    .filter((key) => key.startsWith(prefix))
    .sort()
    .map((key) => readStep(store.objects.get(key)!));
  const ref = store.objects.get(releaseKeys.ref(environment));
  const all =
    ref === undefined
      ? steps
      : [...steps.filter(({ digest }) => digest !== readStep(ref).digest), readStep(ref)];
  all.forEach(({ payload }, at) => {
    assert.equal(payload.sequence, at + 1);
    assert.equal(payload.previous?.sha256, all[at - 1]?.digest);
    assert.ok(payload.created >= (all[at - 1]?.payload.created ?? 0));
  });
  return all;
}

describe('a step of an environment', () => {
  test('moves the ref, and is in the log and beside the manifest bit by bit', async () => {
    const store = new MemoryReleaseStore();
    await step(store, 'one');
    const two = await step(store, 'two');
    assert.deepEqual(
      chain(store).map(({ payload }) => payload.message),
      ['one', 'two'],
    );
    assert.deepEqual(store.objects.get(releaseKeys.ref(environment)), two.bytes);
    assert.deepEqual(store.objects.get(releaseKeys.logEntry(environment, 2)), two.bytes);
    assert.ok(store.objects.has(releaseKeys.witness(examplePayload.release, environment)));
  });

  test('is taken whatever stands in the place of its witness, and replaces what is no witness', async () => {
    const key = releaseKeys.witness(proposal.release, environment);
    for (const [found, isReplaced] of [
      ['{', true],
      ['x'.repeat(2 ** 21), false],
    ] as const) {
      const store = new MemoryReleaseStore();
      store.objects.set(key, Buffer.from(found));
      const taken = await step(store, 'one');
      await step(store, 'two');
      assert.equal(chain(store).length, 2);
      assert.equal(Buffer.from(store.objects.get(key)!).equals(taken.bytes), isReplaced);
    }
  });

  test('is the witness of its release in place of one whose manifest is about to be deleted', async () => {
    const store = new MemoryReleaseStore();
    const other = { ...proposal.manifest, sha256: 'b'.repeat(64) };
    await step(store, 'one', 1_000, { manifest: other });
    const condemned = {
      condemned: [{ at: 1, key: releaseKeys.manifest(proposal.release, other.sha256) }],
      schema: 1,
    };
    store.objects.set(releaseKeys.condemned, Buffer.from(JSON.stringify(condemned)));
    const two = await step(store, 'two');
    assert.deepEqual(store.objects.get(releaseKeys.witness(proposal.release, environment)), two.bytes);
  });

  test('never goes back in time, by whatever clock', async () => {
    const store = new MemoryReleaseStore();
    await step(store, 'one', 5_000);
    assert.equal((await step(store, 'two', 4_000)).payload.created, 5_000);
  });

  test('goes on from the log where the ref is missing', async () => {
    const store = new MemoryReleaseStore();
    await step(store, 'one');
    await step(store, 'two');
    store.objects.delete(releaseKeys.ref(environment));
    assert.equal((await step(store, 'three')).payload.sequence, 3);
    chain(store);
  });

  test('writes down the one before it, whose writer ended first', async () => {
    const store = new MemoryReleaseStore();
    await step(store, 'one');
    store.objects.delete(releaseKeys.logEntry(environment, 1));
    await step(store, 'two');
    assert.equal(chain(store).length, 2);
    assert.ok(store.objects.has(releaseKeys.logEntry(environment, 1)));
  });

  test('is refused on a ref that was put back, naming the step that the log has', async () => {
    const store = new MemoryReleaseStore();
    const one = await step(store, 'one');
    await step(store, 'two');
    store.objects.set(releaseKeys.ref(environment), one.bytes);
    await assert.rejects(step(store, 'three'), { code: 'put-back', message: /step 2/ });
    assert.deepEqual(store.objects.get(releaseKeys.ref(environment)), one.bytes);
  });

  test('is refused where the next entry of the log is garbage, or follows another step, and says to verify that first', async () => {
    const store = new MemoryReleaseStore();
    await step(store, 'one');
    const other = new MemoryReleaseStore();
    await step(other, 'another one');
    await step(other, 'two');
    const key = releaseKeys.logEntry(environment, 2);
    for (const planted of [Buffer.from('nonsense'), other.objects.get(key)!]) {
      store.objects.set(key, planted);
      await assert.rejects(step(store, 'three'), { code: 'log-differs', hint: /^Verify it .*remove it/ });
    }
    store.objects.delete(key);
    await step(store, 'two');
    assert.equal(chain(store).length, 2);
  });

  test('is refused on a ref of another environment, and on one that is none', async () => {
    const store = new MemoryReleaseStore();
    store.objects.set(releaseKeys.ref('staging'), (await step(store, 'one')).bytes);
    const staging = takeStep({
      store,
      root: 'root',
      environment: 'staging',
      propose: async () => proposal,
      sign: async () => [],
      mayReplaceArmed: false,
      now: () => 0,
      pause: async () => undefined,
      signal: new AbortController().signal,
    });
    await assert.rejects(staging, { code: 'log-differs' });
    store.objects.set(releaseKeys.ref(environment), Buffer.from('<html>'));
    await assert.rejects(step(store, 'two'), { code: 'malformed' });
  });

  test('that no reader would accept is not written: it would stop every later one, too', async () => {
    for (const bad of [
      { author: '' },
      { commit: 'abc' },
      { url: 'ftp://x' },
      { notBefore: 1_000 + 8 * 24 * 3600 * 1000 },
      { message: 'm'.repeat(300_000) },
    ]) {
      const store = new MemoryReleaseStore();
      await assert.rejects(step(store, 'one', 1_000, bad), { code: 'invalid-step' });
      assert.equal(store.objects.size, 0);
    }
  });

  test('whose write is refused again and again, though nobody else moves the ref, is given up by that name', async () => {
    const store = new MemoryReleaseStore();
    await step(store, 'one');
    store.fault = (call) => (call.startsWith('replace') ? 'refused' : 'none');
    await assert.rejects(step(store, 'two'), { code: 'write-refused' });
    assert.equal(chain(store).length, 1);
  });

  test('that others are faster with five times is given up as overtaken', async () => {
    const store = new MemoryReleaseStore();
    await step(store, 'one');
    const others = store.replace.bind(store);
    let at = 0;
    store.replace = async (key, bytes, etag) => {
      store.replace = others;
      await step(store, `other ${at++}`);
      store.replace = replace;
      return others(key, bytes, etag);
    };
    const { replace } = store;
    await assert.rejects(step(store, 'two'), { code: 'overtaken' });
    assert.equal(chain(store).length, 6);
  });

  for (const fault of ['lost-before', 'lost-after'] as const) {
    test(`whose answer is lost (${fault}) is found out, and not taken twice`, async () => {
      const store = new MemoryReleaseStore();
      await step(store, 'one');
      const before = store.objects.get(releaseKeys.ref(environment));
      let met = false;
      store.fault = (call) => {
        if (met || call !== `replace ${releaseKeys.ref(environment)}`) return 'none';
        met = true;
        return fault;
      };
      if (fault === 'lost-after') assert.equal((await step(store, 'two')).payload.sequence, 2);
      else {
        await assert.rejects(step(store, 'two'), LostAnswer);
        assert.deepEqual(store.objects.get(releaseKeys.ref(environment)), before);
      }
      chain(store);
    });
  }

  test('of many writers at once, with answers lost and writers ended anywhere, leaves one chain with each success once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.integer({ min: 2, max: 5 }),
        fc.array(fc.constantFrom('none', 'none', 'none', 'none', 'lost-before', 'lost-after'), {
          minLength: 1,
          maxLength: 40,
        }),
        async (scheduler, writers, faults) => {
          const store = new MemoryReleaseStore();
          const gate = scheduler.scheduleFunction(async () => undefined);
          store.gate = () => gate();
          let calls = 0;
          store.fault = () => faults[calls++ % faults.length] as 'none' | 'lost-before' | 'lost-after';
          const ends = Array.from({ length: writers }, (_, at) => step(store, `writer ${at}`));
          const settled = Promise.allSettled(ends);
          await scheduler.waitFor(settled);
          const messages = chain(store).map(({ payload }) => payload.message);
          assert.equal(new Set(messages).size, messages.length, 'a step was taken twice');
          for (const [at, end] of (await settled).entries()) {
            if (end.status === 'fulfilled')
              assert.ok(messages.includes(`writer ${at}`), 'a success is missing');
            else {
              const { code } = end.reason as { code?: unknown };
              assert.ok(end.reason instanceof LostAnswer || code === 'overtaken', String(end.reason));
            }
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
