import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { concernedBy } from '../../../src/source/events/concerned.ts';
import { objectEventsOf } from '../../../src/source/events/object-events.ts';
import { eventBridgeEvent, inSns, s3Notification } from './samples.ts';

describe('the objects of a message', () => {
  const expected = [{ bucket: 'acme', key: 'dags/a b+c/ü.py' }];

  it("are those of S3's own notification, whose keys are encoded as in a form", () => {
    assert.deepEqual(objectEventsOf(s3Notification('acme', 'dags/a b+c/ü.py')), expected);
  });

  it('are those of an event of EventBridge, whose keys are as they are', () => {
    assert.deepEqual(objectEventsOf(eventBridgeEvent('acme', 'dags/a b+c/ü.py')), expected);
    assert.deepEqual(objectEventsOf(eventBridgeEvent('acme', 'a%20b')), [{ bucket: 'acme', key: 'a%20b' }]);
  });

  it('are those of either within what SNS delivers', () => {
    assert.deepEqual(objectEventsOf(inSns(s3Notification('acme', 'dags/a b+c/ü.py'))), expected);
    assert.deepEqual(objectEventsOf(inSns(eventBridgeEvent('acme', 'dags/a b+c/ü.py'))), expected);
  });

  it("are none of S3's test of a new notification", () => {
    const test = JSON.stringify({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'acme' });
    assert.deepEqual(objectEventsOf(test), []);
    assert.deepEqual(objectEventsOf(inSns(test)), []);
  });

  for (const [what, text] of [
    ['no JSON', 'hello'],
    ['a number', '7'],
    ['a list', '[]'],
    ['another object', '{"order": 7}'],
    ['records of another service', '{"Records": [{"dynamodb": {}}]}'],
    ['an event of another source', '{"source": "aws.ec2", "detail": {}}'],
    ['a key that is no text', '{"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": 7}}}]}'],
    ['envelopes without end', inSns(inSns(inSns(s3Notification('acme', 'k'))))],
  ] as const) {
    it(`are unknown of ${what}`, () => assert.equal(objectEventsOf(text), undefined));
  }

  it('are read without an exception whatever comes', () => {
    fc.assert(fc.property(fc.json(), (text) => void objectEventsOf(text)));
    fc.assert(fc.property(fc.string(), (text) => void objectEventsOf(inSns(text))));
  });
});

describe('an event concerns', () => {
  const prefix = { kind: 'prefix', watchKey: undefined } as const;
  const place = { bucket: 'acme', prefix: 'dags/' };

  it('a prefix where its key is below it, in its bucket', () => {
    const concerns = concernedBy(place, prefix);
    assert.equal(concerns({ bucket: 'acme', key: 'dags/a.py' }), true);
    assert.equal(concerns({ bucket: 'acme', key: 'dags2/a.py' }), false);
    assert.equal(concerns({ bucket: 'other', key: 'dags/a.py' }), false);
  });

  it('a bucket that is named by an access point, whatever its own name is', () => {
    for (const bucket of [
      'dags-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias',
      'arn:aws:s3:eu-west-1:1:accesspoint/a',
      't:b',
    ]) {
      assert.equal(concernedBy({ ...place, bucket }, prefix)({ bucket: 'acme', key: 'dags/a' }), true);
    }
  });

  it('a release where it is about the ref: packs come before it', () => {
    const concerns = concernedBy(place, {
      kind: 'release',
      root: 's3://acme/dags',
      environment: 'production',
      minSequence: 0,
      allowedSigners: undefined,
      stateDirectory: '/x',
    });
    assert.equal(concerns({ bucket: 'acme', key: 'dags/refs/production.json' }), true);
    assert.equal(concerns({ bucket: 'acme', key: 'dags/refs/staging.json' }), false);
    assert.equal(concerns({ bucket: 'acme', key: 'dags/packs/abc' }), false);
  });
});
