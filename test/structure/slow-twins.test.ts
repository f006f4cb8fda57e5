import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { repository } from '../support/repository.ts';

const tests = join(repository, 'test');

interface SlowTest {
  readonly file: string;
  readonly name: string;
  readonly quickFile: string;
  readonly quickName: string;
}

function textOf(path: string): string {
  return readFileSync(join(tests, path), 'utf8');
}

/** The tests of a file that run only with --long because a quicker test shows their promise too. */
function slowTests(file: string): readonly SlowTest[] {
  const call = /\bslowTwin\(\s*(['"`])(.+?\.test\.ts): (.+?)\1\s*,?\s*\)\(\s*(['"`])(.+?)\4/gs;
  return [...textOf(file).matchAll(call)].map((match) => ({
    file,
    name: match[5]!,
    quickFile: match[2]!,
    quickName: match[3]!,
  }));
}

const e2e = readdirSync(join(tests, 'e2e')).map((file) => `e2e/${file}`);
const slow = e2e.flatMap(slowTests);

test('every test that runs only with --long for its quicker twin has that twin', () => {
  assert.ok(slow.length > 0);
  const calls = e2e.flatMap((file) => [...textOf(file).matchAll(/\bslowTwin\(/g)]);
  assert.equal(calls.length, slow.length);
  const missing = slow.filter(
    ({ quickFile, quickName }) =>
      !existsSync(join(tests, quickFile)) || !textOf(quickFile).includes(quickName),
  );
  assert.deepEqual(missing, []);
});

describe('docs/testing.md', () => {
  const sections = readFileSync(join(repository, 'docs/testing.md'), 'utf8').split('\n## ').slice(1);

  /** The cells of the table in a section, without its header. */
  function rows(title: string): readonly (readonly string[])[] {
    const section = sections.find((each) => each.startsWith(`${title}\n`));
    assert.ok(section !== undefined, title);
    const lines = section.split('\n').filter((line) => line.startsWith('|'));
    return lines.slice(2).map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  }

  test('lists every file of test/long/ with a quick test, or says why there is none', () => {
    const listed = rows('Test files of test/long/');
    const files = readdirSync(join(tests, 'long')).filter((file) => file.endsWith('.test.ts'));
    assert.deepEqual(listed.map(([file]) => file).sort(), files.map((file) => `\`long/${file}\``).sort());
    for (const [file, , , quick = ''] of listed) {
      assert.match(quick, /^none: |^`scripts\/test-python`$|\.test\.ts`/, file);
      assert.doesNotMatch(quick, /`long\//, file);
    }
  });

  test('lists every test that runs only with --long, and the quicker one', () => {
    assert.deepEqual(
      rows('Tests through a mount that a quicker test shows too')
        .map((cells) => cells.join(' | '))
        .sort(),
      slow
        .map(
          ({ file, name, quickFile, quickName }) => `\`${file}\`: ${name} | \`${quickFile}\`: ${quickName}`,
        )
        .sort(),
    );
  });

  for (const title of ['Bad input to releases', 'Bad input to the CSI driver'])
    test(`names tests that there are: ${title}`, () => {
      const named = rows(title).flatMap(([, ...cells]) => cells.filter((cell) => cell !== '—'));
      const missing = named.filter((cell) => {
        const [, file = '', name = ''] = /^`(.+\.test\.ts)`(?:: (.+))?$/.exec(cell) ?? [];
        return !existsSync(join(tests, file)) || !textOf(file).replaceAll("\\'", "'").includes(name);
      });
      assert.ok(named.length > 0);
      assert.deepEqual(missing, []);
    });

  test('lists every file of tests whose numbers --long raises', () => {
    const raised = readdirSync(tests, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => relative(tests, join(entry.parentPath, entry.name)))
      .filter((file) => !/^(long|support|structure|conformance)\//.test(file) && file !== 'model/seed.ts')
      .filter((file) => /\bDAGMOUNT_TEST_LONG\b|import \{[^}]*\blong\b[^}]*\} from/.test(textOf(file)));
    assert.deepEqual(
      rows('Tests that take larger numbers')
        .map(([file]) => file)
        .sort(),
      raised.map((file) => `\`${file}\``).sort(),
    );
  });
});
