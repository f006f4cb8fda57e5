import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startController } from '../support/csi-controller.ts';
import { CsiNode, nodeImpossible } from '../support/csi-node.ts';
import { csiSanityProgram } from '../support/csi-sanity.ts';
import { MemoryS3 } from '../support/memory-s3.ts';
import { startReader } from '../support/reader.ts';
import { defer } from '../support/temporary.ts';
import { waitFor } from '../support/wait-for.ts';

const program = csiSanityProgram();
const skip =
  nodeImpossible || (program === undefined && 'csi-sanity is not built: that needs Go and a network');

interface Case {
  readonly name: string;
  readonly status: string;
}

/** Skipped: these would test the controller, which belongs to this test. */
const OF_CONTROLLER = '\\[(Group)?Controller';

/** The cases of the report that csi-sanity writes in JUnit's format. */
function casesOf(report: string): readonly Case[] {
  return [...report.matchAll(/<testcase [^>]*?name="([^"]*)"[^>]*?status="([^"]*)"/g)].map(
    ([, name = '', status = '']) => ({ name: name.replaceAll('&#34;', '"'), status }),
  );
}

/** The names of tests that need a capability which this driver does not have. */
const NOT_PROVIDED = [
  'NodeStageVolume',
  'NodeUnstageVolume',
  'NodeGetVolumeStats',
  'NodeExpandVolume',
  'NodeGetVolumeHealth',
  'NodeGetStorageHealth',
  'NodePublishVolume with single node multi writer capability',
];

/** The controller of this test made the volumes of these tests. */
const LIFECYCLES = [
  'Node Service should work',
  'Node Service should be idempotent',
  'Node Service NodeUnpublishVolume should remove target path',
];

describe('dagmount csi', { skip }, () => {
  test('passes what csi-sanity asks of a node, lifecycles of volumes included', async (t) => {
    const store = await MemoryS3.start();
    defer(t, () => store.close());
    store.put('dags/a.py', 'a');
    const node = await CsiNode.start(t, {
      env: { AWS_ACCESS_KEY_ID: 'k', AWS_SECRET_ACCESS_KEY: 's' },
      allow: ['s3://bucket/dags'],
      endpoint: store.endpoint,
    });
    const [parameters, report, pod, socket] = [
      'parameters.yaml',
      'report.xml',
      'kubelet/pods/sanity',
      'controller.sock',
    ].map((name) => join(node.directory, name)) as [string, string, string, string];
    await writeFile(parameters, 'source: s3://bucket/dags\n');
    await mkdir(pod, { recursive: true });
    await startController(t, socket, node.socket);
    const { code, stdout } = await startReader(
      program ?? '',
      [
        `--csi.endpoint=unix://${socket}`,
        `--csi.controllerendpoint=unix://${socket}`,
        `--csi.mountdir=${join(pod, 'mount')}`,
        `--csi.stagingdir=${join(pod, 'staging')}`,
        `--csi.testvolumeparameters=${parameters}`,
        `--csi.junitfile=${report}`,
        `--ginkgo.skip=${OF_CONTROLLER}`,
        '--ginkgo.no-color',
      ],
      { deadlineMs: 300_000 },
    ).done;
    assert.equal(code, 0, stdout);
    const cases = casesOf(readFileSync(report, 'utf8'));
    const namesOf = (status: string): readonly string[] =>
      cases.filter((each) => each.status === status).map(({ name }) => name.replace(/^\[It\] /, ''));
    const passed = namesOf('passed');
    for (const name of passed) t.diagnostic(`passed: ${name}`);
    assert.deepEqual(
      LIFECYCLES.filter((name) => !passed.includes(name)),
      [],
    );
    // csi-sanity itself leaves out one test of a controller, as pending.
    const skipped = [...namesOf('skipped'), ...namesOf('pending')];
    const ofNode = skipped.filter((name) => !new RegExp(OF_CONTROLLER).test(name));
    t.diagnostic(`${passed.length} passed; skipped: ${skipped.length - ofNode.length} of controllers`);
    for (const name of ofNode) t.diagnostic(`skipped: ${name}`);
    assert.deepEqual(
      ofNode.filter((name) => !NOT_PROVIDED.some((each) => name.startsWith(`Node Service ${each}`))),
      [],
    );
    assert.equal(passed.length + skipped.length, cases.length);
    const published = node.log().filter(({ event }) => event === 'volume-published');
    assert.equal(published.length, LIFECYCLES.length, 'a publish that is repeated changes nothing');
    await waitFor('the mount to be unmounted', () => node.mountKeys().length === 0);
    assert.deepEqual(readdirSync(join(node.directory, 'state/volumes')), []);
  });
});
