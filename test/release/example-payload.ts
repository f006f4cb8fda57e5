import type { ReleasePayload } from '../../src/release/index.ts';

/** A payload with every field. */
export const examplePayload: ReleasePayload = {
  root: 's3://bucket/airflow',
  environment: 'production',
  sequence: 7,
  action: 'deploy',
  release: `sha256-${'1'.repeat(64)}`,
  manifest: { sha256: '2'.repeat(64), size: 4711 },
  previous: { sequence: 6, release: `sha256-${'3'.repeat(64)}`, sha256: '4'.repeat(64) },
  nonce: '0123456789abcdef0123456789abcdef',
  created: Date.UTC(2026, 10, 1, 12, 30),
  notBefore: Date.UTC(2026, 10, 1, 13, 0),
  allowDeletions: true,
  author: 'Zoë Example <zoe@example.com>',
  message: 'Load the orders\nin two steps',
  commit: 'c0ffee'.padEnd(40, '0'),
  url: 'https://ci.example.com/runs/1?a=b',
  changes: { added: 1, changed: 2, removed: 3 },
};
