import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { airflowVersion, amazonMissing, bundleMissing } from '../support/airflow/installation.ts';
import { Stage } from '../support/airflow/stage.ts';
import { told } from '../support/airflow/told.ts';
import { runsDag, steadyDag, tellingDags, type Way } from '../support/airflow/ways.ts';
import { mountImpossible, statusOf } from '../support/mount.ts';
import { shell } from '../support/reader.ts';
import { supervisorMissing } from '../support/supervised.ts';
import { waitFor } from '../support/wait-for.ts';

const FLIPS = 20;
const KILLS = 3;
const OUTAGE_SECONDS = 30;

/**
 * One story, whose parts each begin where the one before ended: releases come in three ways to the same Airflow, and
 * the test compares what each shows. It asserts what dagmount promises; of the other ways, it prints what it saw.
 */
test(`Airflow ${airflowVersion} runs DAGs of a mount with versions, a synchronised directory and an S3DagBundle`, {
  skip: mountImpossible || bundleMissing || amazonMissing || supervisorMissing,
}, async (t) => {
  const stage = await Stage.open(t, '001');
  const { all, release, airflow } = stage;
  const step = (name: string, body: (t: TestContext) => Promise<void>) =>
    t.test(name, async (t) => {
      stage.say(t, `begins: ${name}`);
      const mark = await airflow.audit.mark();
      await body(t);
      assert.deepEqual(airflow.ended(), []);
      assert.deepEqual(await stage.harm(mark), []);
    });
  const firstRuns = new Map<Way, string>();
  const sawOf = (way: Way, task: string): readonly string[] => stage.saw(firstRuns.get(way) ?? '', task);

  await step('all DAGs are found', async (t) => {
    for (const way of all) await stage.shows(way, '001');
    stage.say(t, 'every DAG is in the database');
    for (const way of all) await airflow.api.trigger(steadyDag(way), `${way.name}-steady`);
  });

  await step('a run that began on a release ends on it', async (t) => {
    for (const way of all) firstRuns.set(way, await stage.trigger(way));
    for (const way of all) await stage.waits(way, firstRuns.get(way) ?? '');
    stage.say(t, 'runs on 001 wait in the triggerer');
    await stage.deploy(t, '002');
    for (const way of all) stage.openGate(firstRuns.get(way) ?? '');
    for (const way of all) {
      const state = await stage.ends(way, firstRuns.get(way) ?? '');
      stage.say(
        t,
        `${way.name}: ${state}; begin saw ${sawOf(way, 'begin')}, finish saw ${sawOf(way, 'finish')}`,
      );
    }
    assert.deepEqual(sawOf(release, 'begin'), ['001/001/001']);
    assert.deepEqual(sawOf(release, 'finish'), ['001/001/001']);
  });

  await step(
    'its cleared task runs on it again, two releases later, on a node whose cache was emptied',
    async (t) => {
      await stage.deploy(t, '003');
      const run = firstRuns.get(release) ?? '';
      await release.mount().stop();
      await airflow.api.clearTask(runsDag(release), run, 'finish');
      await waitFor('the task to be rescheduled while nothing is mounted', async () => {
        const state = await airflow.api.taskState(runsDag(release), run, 'finish');
        assert.notEqual(state, 'failed');
        return state === 'up_for_reschedule';
      });
      stage.say(t, 'dagmount: nothing is mounted: the cleared task is up_for_reschedule');
      await release.mountAgain();
      for (const way of all.filter(({ name }) => name !== 'dagmount'))
        await airflow.api.clearTask(runsDag(way), firstRuns.get(way) ?? '', 'finish');
      for (const way of all) {
        await waitFor(`the second try of ${way.name}`, () => sawOf(way, 'finish').length === 2, 300_000);
        const state = await stage.ends(way, firstRuns.get(way) ?? '');
        stage.say(t, `${way.name}: ${state}; the cleared task saw ${sawOf(way, 'finish').at(-1)}`);
      }
      assert.deepEqual(sawOf(release, 'finish'), ['001/001/001', '001/001/001']);
    },
  );

  await step("a run's version that Airflow's UI shows is its release", async (t) => {
    const { bundle_version, dag_versions } = await airflow.api.run(
      runsDag(release),
      firstRuns.get(release) ?? '',
    );
    assert.equal(bundle_version, release.idOf('001'));
    const named = dag_versions.map((each) => release.releaseOf(each.bundle_version ?? ''));
    stage.say(t, `dagmount: the run is of 001; the version of the DAG that it is shown with is of ${named}`);
    const ofDag = await airflow.api.dagVersions(runsDag(release));
    const shown = ofDag.map(
      (each) => `${each.version_number}: ${release.releaseOf(each.bundle_version ?? '')}`,
    );
    stage.say(t, `dagmount: the versions of the DAG, the newest first: ${shown.join(', ')}`);
    assert.equal(ofDag[0]?.bundle_version, release.idOf('003'));
    const steady = await airflow.api.dagVersions(steadyDag(release));
    stage.say(
      t,
      `dagmount: a DAG that no release changed: ${steady.map((each) => `${each.version_number}: ${release.releaseOf(each.bundle_version ?? '')}`).join(', ')}`,
    );
    for (const way of all.filter(({ name }) => name !== 'dagmount')) {
      const [newest] = await airflow.api.dagVersions(runsDag(way));
      stage.say(t, `${way.name}: version ${newest?.version_number}, of the bundle ${newest?.bundle_version}`);
    }
  });

  await step('a roll-back is a release like any other', async (t) => {
    await stage.rollBack(t, '002');
  });

  await step(`${FLIPS} releases during parses are never mixed`, async (t) => {
    const mark = await airflow.audit.mark();
    for (let flip = 1; flip <= FLIPS; flip++) {
      const next = String(100 + flip);
      await Promise.all(all.map((way) => way.deploy(next)));
      await release.isShown(next);
      // Keeps the deploys out of step with the processor's rounds.
      await delay(500 * (flip % 5));
    }
    for (const way of all) {
      const isThere = await stage.shows(way, String(100 + FLIPS));
      if (!isThere) stage.say(t, `${way.name}: does not come to the last release`);
    }
    const until = Date.now() / 1000;
    for (const way of all) {
      const rows = (await airflow.audit.since(mark, 'labelled')).filter(({ subject }) =>
        tellingDags(way).includes(subject),
      );
      const seen = told(rows, release.releaseOf, until);
      stage.say(
        t,
        `${way.name}: ${seen.parses} parses; ${seen.mixed} of two releases, the longest for ${seen.longestMixedSeconds.toFixed(1)} s; ` +
          `${seen.mislabelled} under another version than their own, the longest for ${seen.longestMislabelledSeconds.toFixed(1)} s`,
      );
      if (way === release) assert.equal(seen.mixed, 0);
    }
  });

  await step(`the store is down for ${OUTAGE_SECONDS} s`, async (t) => {
    const mark = await airflow.audit.mark();
    await release.proxy.goDown();
    const runs = new Map<Way, string>();
    for (const way of all) {
      const run = await stage.trigger(way);
      stage.openGate(run);
      runs.set(way, run);
    }
    await stage.parsedAll(release, mark);
    await delay(OUTAGE_SECONDS * 1_000);
    for (const way of all) {
      const run = runs.get(way) ?? '';
      const state = await stage.ends(way, run);
      stage.say(t, `${way.name}: a run in the outage: ${state}; it saw ${stage.saw(run, 'finish')}`);
    }
    await release.proxy.comeUp();
    const last = String(100 + FLIPS);
    assert.deepEqual(stage.saw(runs.get(release) ?? '', 'finish'), [`${last}/${last}/${last}`]);
    stage.say(t, await stage.alive(mark));
  });

  await step(`the server of the mount is killed ${KILLS} times`, async (t) => {
    const mark = await airflow.audit.mark();
    const takeovers = (): number =>
      release
        .mount()
        .log()
        .filter(({ event }) => event === 'taken-over').length;
    for (let kill = 1; kill <= KILLS; kill++) {
      process.kill(await release.mount().serverPid(), 'SIGKILL');
      await waitFor('the takeover', () => takeovers() === kill);
      await delay(2_000);
    }
    await stage.parsedAll(release, mark);
    stage.say(t, await stage.alive(mark));
  });

  await step('a step without a signature is not shown', async (t) => {
    const mark = await airflow.audit.mark();
    await release.deployUnsigned('200');
    await waitFor(
      'the step to be held',
      async () => (await statusOf(release.mount())).held?.reason === 'signature',
    );
    await stage.parsedAll(release, mark);
    const last = String(100 + FLIPS);
    assert.deepEqual(await stage.releasesSince(release, mark), [`${last}/${last}`]);
    stage.say(t, await stage.alive(mark));
  });

  await step('a deployer dies when half of a release is there', async (t) => {
    await stage.deploy(t, '201');
    const mark = await airflow.audit.mark();
    await Promise.all(all.map((way) => way.deployHalf('202')));
    const runs = new Map<Way, string>();
    // In one round of parses Airflow finds those files of the release that are there.
    for (const way of all) await stage.parsedAll(way, mark);
    await delay(10_000);
    for (const way of all) await stage.parsedAll(way, await airflow.audit.mark());
    for (const way of all) runs.set(way, await stage.trigger(way));
    for (const way of all) stage.openGate(runs.get(way) ?? '');
    for (const way of all) {
      const run = runs.get(way) ?? '';
      const state = await stage.ends(way, run);
      const described = await stage.releasesSince(way, mark);
      stage.say(
        t,
        `${way.name}: DAGs of ${described.join(', ')}; a run: ${state}; it saw ${stage.saw(run, 'finish')}`,
      );
    }
    assert.deepEqual(await stage.releasesSince(release, mark), ['201/201']);
    assert.deepEqual(stage.saw(runs.get(release) ?? '', 'finish'), ['201/201/201']);
  });

  await step("Airflow's clean-up passes over versions of the mount", async (t) => {
    const first = release.idOf('001');
    await waitFor(
      'the clean-up of the first release',
      async () => !(await stage.tracked(release)).includes(first),
      300_000,
      500,
    );
    stage.say(
      t,
      `dagmount: the clean-up has removed its record of 001; ${(await stage.tracked(release)).length} are left`,
    );
    const target = release.mount().target;
    assert.equal(await shell(target, `cat versions/${first}/runs_lib/release.py`), 'RELEASE = "001"\n');
    await airflow.api.clearTask(runsDag(release), firstRuns.get(release) ?? '', 'finish');
    await waitFor('the third try', () => sawOf(release, 'finish').length === 3, 300_000);
    assert.equal(sawOf(release, 'finish').at(-1), '001/001/001');
    assert.ok((await stage.tracked(release)).includes(first));
  });

  await step('Airflow has noticed nothing of it all', async (t) => {
    const health = await airflow.api.health();
    const unhealthy = Object.entries(health).filter(([, { status }]) => status !== 'healthy');
    stage.say(t, `health: ${JSON.stringify(health)}`);
    assert.deepEqual(
      unhealthy.map(([name]) => name),
      [],
    );
    for (const way of all) {
      const harm = await airflow.audit.harm(0, way.name);
      stage.say(
        t,
        `${way.name}: ${harm.length} stale DAGs and import errors${harm.length === 0 ? '' : `, such as: ${harm[0]}`}`,
      );
    }
  });
});
