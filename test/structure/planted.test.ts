import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { appendFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { repository } from '../support/repository.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { SourceTree } from './source-tree.ts';

/** A copy of the sources with additions: each text is appended to its file, or becomes a new file. */
async function planted(t: TestContext, files: Readonly<Record<string, string>>): Promise<SourceTree> {
  const root = await temporaryDirectory(t);
  for (const folder of ['src', 'native']) {
    cpSync(join(repository, folder), join(root, folder), { recursive: true });
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await appendFile(join(root, path), text);
  }
  return new SourceTree(root);
}

const upward = "import { Sync } from '../sync/sync.ts';\n";

test('an upward import is refused, however it is written', async (t) => {
  const written: Readonly<Record<string, string>> = {
    'src/tree/one.ts': upward,
    'src/tree/two.ts': "export * from '../sync/sync.ts';\n",
    'src/tree/three.ts': "import '../sync/sync.ts';\n",
    'src/tree/four.ts': "export const load = () => import('../sync/sync.ts');\n",
    'src/tree/five.ts': "export const url = new URL('../sync/sync.js', import.meta.url);\n",
    'src/tree/six.ts': "import {\n  type Sync,\n} from '../sync/sync.ts';\n",
    'src/base/seven.ts': "export { diffGenerations } from '../tree/index.ts';\n",
  };
  const tree = await planted(t, written);
  assert.deepEqual(
    tree
      .forbiddenImports()
      .map((found) => found.split(' -> ')[0])
      .sort(),
    Object.keys(written).sort(),
  );
});

test('an import that stands in a comment is none', async (t) => {
  const text = `/* ${upward} */\n// ${upward}`;
  assert.deepEqual((await planted(t, { 'src/tree/one.ts': text })).forbiddenImports(), []);
});

test('a folder without a row in the table is refused, and all that it imports', async (t) => {
  const tree = await planted(t, { 'src/misc/one.ts': upward });
  assert.deepEqual(tree.withoutRow(), ['misc']);
  assert.deepEqual(tree.forbiddenImports(), ['src/misc/one.ts -> src/sync/sync.ts']);
});

test('a cycle of files is refused, also one of types, and one within a folder', async (t) => {
  const tree = await planted(t, {
    'src/tree/one.ts': "import { two } from './two.ts';\nexport const one = two;\n",
    'src/tree/two.ts': "import type { One } from './three.ts';\nexport const two: One = 1;\n",
    'src/tree/three.ts': "export * from './one.ts';\nexport type One = number;\n",
  });
  const [cycle, ...others] = tree.cycles();
  assert.deepEqual(others, []);
  assert.deepEqual(
    new Set(cycle?.split(' -> ')),
    new Set(['one', 'two', 'three'].map((name) => `src/tree/${name}.ts`)),
  );
});

test('a file that lies loose in src is refused', async (t) => {
  const tree = await planted(t, { 'src/loose.ts': 'export const one = 1;\n' });
  assert.deepEqual(tree.loose(), ['src/loose.ts']);
});

test('a file that is too long is refused, and one that was packed to stay just below', async (t) => {
  const lines = (count: number): string => '// A line.\n'.repeat(count);
  const tree = await planted(t, {
    'src/tree/long.ts': lines(401),
    'src/tree/packed.ts': lines(380),
    'src/tree/right.ts': lines(379),
    'test/tree/long.test.ts': lines(381),
    'native/long.c': lines(381),
    'native/holder/more.c': lines(100),
    'bench/long.ts': lines(381),
  });
  const found = tree.tooLong().map((each) => each.split(':')[0]);
  for (const path of [
    'src/tree/long.ts',
    'src/tree/packed.ts',
    'test/tree/long.test.ts',
    'native/long.c',
    'bench/long.ts',
  ]) {
    assert.ok(found.includes(path), path);
  }
  assert.ok(!found.includes('src/tree/right.ts'));
  assert.deepEqual(
    tree.tooMuchNative().map((each) => each.split(':')[0]),
    ['native/holder', 'native'],
  );
});

test('names that say nothing, switches of tests and imports of tests are refused', async (t) => {
  const tree = await planted(t, {
    'src/tree/tree-utils.ts': 'export const one = 1;\n',
    'src/tree/CamelCase.ts': 'export const one = 1;\n',
    'src/tree/plain.js': 'export const one = 1;\n',
    'src/tree/switch.ts': 'export const isFast = process.env.TEST_FAST;\n',
    'src/tree/double.ts': "import { wait } from '../../test/support/wait-for.ts';\n",
  });
  assert.deepEqual(
    [...tree.badlyNamed()].sort(),
    ['CamelCase.ts', 'plain.js', 'tree-utils.ts'].map((name) => `src/tree/${name}`),
  );
  assert.deepEqual(tree.switchedByTests(), ['src/tree/switch.ts']);
  assert.equal(tree.importsFromOutside().length, 1);
});
