import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { cacheEvents } from '../../src/base/log-events/cache.ts';
import { controlEvents } from '../../src/base/log-events/control.ts';
import { kubernetesEvents } from '../../src/base/log-events/kubernetes.ts';
import { mountEvents } from '../../src/base/log-events/mount.ts';
import { sourceEvents } from '../../src/base/log-events/source.ts';
import { takeoverEvents } from '../../src/base/log-events/takeover.ts';
import { treeEvents } from '../../src/base/log-events/tree.ts';
import { type LogEvent, logEvents } from '../../src/base/log-events.ts';
import { repository } from '../support/repository.ts';

function sources(folder: string, suffix: string): ReadonlyMap<string, string> {
  const names = readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => name.endsWith(suffix)).map((name) => join(folder, name));
  return new Map(files.map((file) => [file, readFileSync(join(repository, file), 'utf8')]));
}

const names = Object.keys(logEvents) as LogEvent[];

describe('the events of the log', () => {
  test('have names of words joined by hyphens, and each is declared once', () => {
    for (const name of names) assert.match(name, /^[a-z]+(-[a-z]+)*$/);
    const parts = [
      mountEvents,
      takeoverEvents,
      treeEvents,
      sourceEvents,
      cacheEvents,
      controlEvents,
      kubernetesEvents,
    ];
    assert.equal(
      names.length,
      parts.reduce((sum, part) => sum + Object.keys(part).length, 0),
    );
  });

  test('say what they mean in sentences', () => {
    for (const name of names) {
      const { meaning, levels } = logEvents[name];
      assert.match(meaning, /^[^\n]*[\w`)]\.$/, name);
      assert.ok(levels.length > 0, name);
    }
  });

  test('are all written by the program', () => {
    const written = [...sources('src', '.ts'), ...sources('native', '.c')]
      .filter(([file]) => !file.startsWith('src/base/log-events'))
      .map(([, text]) => text)
      .join('\n');
    for (const name of names) {
      assert.ok(written.includes(`'${name}'`) || written.includes(`"${name}"`), `nothing writes ${name}`);
    }
  });

  test('cover the lines of the supervisor and the holder, which have no other way to write one', () => {
    let lines = 0;
    for (const [file, text] of [...sources('native/supervisor', '.c'), ...sources('native/holder', '.c')]) {
      for (const [, event] of text.matchAll(/log_failure\(\s*("[a-z-]+"|[^,c]+),/g)) {
        const name = event?.replaceAll('"', '') ?? '';
        assert.ok(name in takeoverEvents, `${file}: ${event} is not declared`);
        const { levels, fields } = logEvents[name as keyof typeof takeoverEvents];
        assert.deepEqual(levels, ['error']);
        for (const field of fields) assert.ok(['file', 'detail'].includes(field), `${name}: ${field}`);
        lines += 1;
      }
      const others = [...text.matchAll(/dprintf\((2|STDERR_FILENO), "(?!usage: )/g)];
      if (!file.endsWith('/log.c')) assert.equal(others.length, 0, `${file} writes to stderr by itself`);
    }
    assert.ok(lines > 0);
  });
});

test('no test looks at the message of a log line, which may change', () => {
  const allowed = new Set([
    'test/cli/logger.test.ts',
    'test/cli/mount.test.ts',
    'test/csi/mount-command.test.ts',
    'test/native/supervisor-log.test.ts',
    'test/support/mount.ts',
  ]);
  for (const [file, text] of sources('test', '.ts')) {
    if (allowed.has(file) || file === 'test/base/log-events.test.ts') continue;
    assert.doesNotMatch(text, /\bmsg\b/, file);
  }
});
