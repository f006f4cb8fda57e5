import assert from 'node:assert/strict';
import { readStanding, type TakenStep } from '../../src/deploy/current-step.ts';
import type { Deployed } from '../../src/deploy/deploy.ts';
import { readHistory } from '../../src/deploy/history.ts';
import { readContent, readManifest } from '../../src/deploy/read-release.ts';
import type { ReleaseStore } from '../../src/deploy/release-store.ts';
import type { SourceFile } from '../../src/deploy/source-files.ts';
import { type Attempt, deployedOf, type Environment } from './operations.ts';

type Contents = ReadonlyMap<string, string>;

/** Checks that one attempt made each step, that each release is what its step meant, and that the last is readable. */
export async function checkEnvironment(
  environment: Environment,
  store: ReleaseStore,
  attempts: readonly Attempt[],
  file: (path: string, content: number) => SourceFile,
): Promise<void> {
  const { signal } = new AbortController();
  const read = { signers: undefined, concurrency: 4, signal, most: 10_000 };
  const steps = (await readHistory({ store, environment, ...read })).toReversed();
  assert.deepEqual(
    steps.flatMap(({ flaws }) => flaws),
    [],
    'the log is one chain',
  );
  assert.deepEqual(
    steps.map(({ sequence }) => sequence),
    steps.map((_, at) => at + 1),
    'the log has every move of the ref, in order',
  );
  const { step: newest } = await readStanding(store, environment, signal);
  assert.equal(newest?.digest, steps.at(-1)?.step?.digest, 'the ref is the end of the log');

  const messages = steps.map(({ step }) => step!.payload.message);
  assert.equal(new Set(messages).size, messages.length, 'a move is in the log twice');
  const others = (
    await readHistory({ store, environment: environment === 'staging' ? 'production' : 'staging', ...read })
  ).map(({ step }) => step!.payload);
  for (const attempt of attempts) {
    const target = attempt.operation.kind === 'promote' ? 'production' : attempt.operation.environment;
    if (target !== environment || attempt.end === 'unknown') continue;
    assert.equal(
      messages.includes(attempt.message),
      attempt.end === 'taken',
      `${attempt.message} (${attempt.operation.kind}) was ${attempt.end}`,
    );
  }

  let before: TakenStep | undefined;
  for (const { step } of steps) {
    const { payload } = step!;
    const attempt = attempts.find(({ message }) => message === payload.message);
    assert.ok(attempt !== undefined, `nobody meant step ${payload.sequence}`);
    const { operation } = attempt;
    if (operation.kind === 'promote') {
      assert.ok(
        others.some(({ release }) => release === payload.release),
        `step ${payload.sequence} promotes what staging never showed`,
      );
    } else if (operation.kind === 'rollback') {
      assert.ok(
        steps.some(({ step: other }) => other!.payload.release === payload.release && other !== step),
        `step ${payload.sequence} goes back to what was never shown`,
      );
    } else if (operation.kind === 'tree' || operation.kind === 'file' || operation.kind === 'remove') {
      if (operation.kind === 'tree')
        assert.equal(attempt.seen, payload.sequence - 1, 'a tree takes back what its deployer has not seen');
      const now = await contentsOf(step!, store);
      const old = before === undefined ? new Map<string, string>() : await contentsOf(before, store);
      // Collected contents cannot be compared.
      if (now !== undefined && old !== undefined) {
        assert.deepEqual(sorted(now), sorted(meant(deployedOf(operation, file), old)), payload.message);
      }
    } else assert.fail(`${operation.kind} moves no ref`);
    before = step;
  }
  await requireReadable(newest!, store);
}

function meant(deployed: Deployed, before: Contents): Contents {
  const files = new Map(deployed.kind === 'tree' ? [] : before);
  for (const removed of deployed.kind === 'files' ? deployed.removed : []) files.delete(removed);
  for (const { path: name, sha256 } of deployed.files) files.set(name, sha256);
  return files;
}

/** Undefined: the manifest was collected. */
async function contentsOf({ payload }: TakenStep, store: ReleaseStore): Promise<Contents | undefined> {
  try {
    const { files } = await readManifest(store, payload, new AbortController().signal);
    return new Map(files.map(({ path: name, sha256 }) => [name, sha256]));
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === 'no-such-release') return undefined;
    throw error;
  }
}

export async function requireReadable({ payload }: TakenStep, store: ReleaseStore): Promise<void> {
  const { signal } = new AbortController();
  const { files } = await readManifest(store, payload, signal);
  for (const one of files) await readContent(store, one, signal);
}

function sorted(contents: Contents): readonly (readonly [string, string])[] {
  return [...contents].sort(([one], [other]) => (one < other ? -1 : 1));
}
