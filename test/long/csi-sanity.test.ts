import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CsiNode, nodeImpossible } from '../support/csi-node.ts';
import { csiSanityProgram } from '../support/csi-sanity.ts';
import { MemoryS3 } from '../support/memory-s3.ts';
import { startReader } from '../support/reader.ts';
import { defer } from '../support/temporary.ts';

const program = csiSanityProgram();
const skip =
  nodeImpossible || (program === undefined && 'csi-sanity is not built: that needs Go and a network');

interface Case {
  readonly name: string;
  readonly status: string;
}

/** This driver has no controller; the last one makes its volume by one. long/csi.test.ts plays kubelet instead. */
const WITH_CONTROLLER = '\\[Controller Server\\]|NodeUnpublishVolume should remove target path';

/** The cases of the report that csi-sanity writes in JUnit's format. */
function casesOf(report: string): readonly Case[] {
  return [...report.matchAll(/<testcase [^>]*?name="([^"]*)"[^>]*?status="([^"]*)"/g)].map(
    ([, name = '', status = '']) => ({ name: name.replaceAll('&#34;', '"'), status }),
  );
}

function suiteOf(name: string): string {
  return name.replace(/^\[It\] /, '').replace(/ (?:should|check|pagination) .*$/, '');
}

describe('dagmount csi', { skip }, () => {
  test('passes what csi-sanity asks of a driver without a controller', async (t) => {
    const store = await MemoryS3.start();
    defer(t, () => store.close());
    store.put('dags/a.py', 'a');
    const node = await CsiNode.start(t, {
      env: { AWS_ACCESS_KEY_ID: 'k', AWS_SECRET_ACCESS_KEY: 's' },
      allow: ['s3://bucket/dags'],
      endpoint: store.endpoint,
    });
    const [parameters, report, pod] = ['parameters.yaml', 'report.xml', 'kubelet/pods/sanity'].map((name) =>
      join(node.directory, name),
    ) as [string, string, string];
    await writeFile(parameters, 'source: s3://bucket/dags\n');
    await mkdir(pod, { recursive: true });
    const { code, stdout } = await startReader(
      program ?? '',
      [
        `--csi.endpoint=unix://${node.socket}`,
        `--csi.mountdir=${join(pod, 'mount')}`,
        `--csi.stagingdir=${join(pod, 'staging')}`,
        `--csi.testvolumeparameters=${parameters}`,
        `--csi.junitfile=${report}`,
        `--ginkgo.skip=${WITH_CONTROLLER}`,
        '--ginkgo.no-color',
      ],
      { deadlineMs: 300_000 },
    ).done;
    assert.equal(code, 0, stdout);
    const cases = casesOf(readFileSync(report, 'utf8'));
    const of = (status: string): readonly Case[] => cases.filter((each) => each.status === status);
    t.diagnostic(`${of('passed').length} passed, ${of('skipped').length} skipped of ${cases.length}`);
    const skipped = new Map<string, number>();
    for (const { name } of [...of('skipped'), ...of('pending')])
      skipped.set(suiteOf(name), (skipped.get(suiteOf(name)) ?? 0) + 1);
    for (const [suite, count] of skipped) t.diagnostic(`skipped: ${count} of ${suite}`);
    assert.ok(of('passed').some(({ name }) => name.includes('NodePublishVolume')));
    assert.deepEqual(
      // csi-sanity itself leaves one out: pending.
      cases.filter(({ status }) => !['passed', 'skipped', 'pending'].includes(status)),
      [],
    );
  });
});
