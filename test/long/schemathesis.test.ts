import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { mountStore, openStore } from '../e2e/fixture.ts';
import { mountImpossible } from '../support/mount.ts';
import { startReader } from '../support/reader.ts';
import { repository } from '../support/repository.ts';
import { tcpToUnix } from '../support/tcp-to-unix.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const program = join(repository, '.tools/schemathesis/bin/schemathesis');
const skip = mountImpossible || (existsSync(program) ? false : 'schemathesis is not installed');

const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];

test('whatever is asked of the control socket, no answer is a 5xx or of another shape than described', {
  skip,
}, async (t) => {
  const files = [
    ['a.py', 'one'],
    ['pkg/b.py', 'two'],
    ['é/ü.py', 'three'],
  ] as const;
  const store = await openStore(t, new Map(files));
  const mount = await mountStore(t, store);
  const port = await tcpToUnix(t, mount.socket());
  const address = `http://127.0.0.1:${port}`;
  const reader = startReader(
    program,
    [
      'run',
      `${address}/v1/openapi.json`,
      '--url',
      address,
      '--checks',
      CHECKS.join(','),
      '--max-examples',
      '60',
      // The answer of `events` has no end, and `restart` ends the server.
      '--exclude-path-regex',
      '/v1/(events|restart)$',
      '--request-timeout',
      '30',
      '--seed',
      '1',
      '--no-color',
    ],
    { deadlineMs: 600_000, cwd: await temporaryDirectory(t) },
  );
  const { code, stdout, stderr } = await reader.done;
  assert.equal(code, 0, `${stdout.slice(-8_000)}${stderr.slice(-2_000)}`);
  assert.ok(!mount.log().some(({ level }) => level === 'error'));
});
