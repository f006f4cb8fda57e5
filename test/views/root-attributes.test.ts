import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ROOT_ATTRIBUTES } from '../../src/session/root-attributes.ts';
import { rootAttribute } from '../../src/views/root-attributes.ts';

type Shown = Parameters<typeof rootAttribute>[0];

const all = (shown: Shown) => ROOT_ATTRIBUTES.map((attribute) => rootAttribute(shown, attribute));

describe('what the root says of itself', () => {
  test('is what status says', () => {
    const release = { id: `sha256-${'a'.repeat(64)}`, seq: 42 };
    const shown = { ready: true, source: { stalenessSeconds: 0.25 }, release };
    assert.deepEqual(all(shown), [release.id, '42', '0.25', 'true']);
  });

  test('has no release over a prefix, and no staleness where the store never answered', () => {
    const shown = { ready: false, source: { stalenessSeconds: null }, release: null };
    assert.deepEqual(all(shown), [undefined, undefined, undefined, 'false']);
  });
});
