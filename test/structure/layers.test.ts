import assert from 'node:assert/strict';
import { test } from 'node:test';
import { repository } from '../support/repository.ts';
import { mayImport, SourceTree } from './source-tree.ts';

/** planted.test.ts shows what each rule refuses. */
const tree = new SourceTree(repository);

test('every folder of src has its row in the table of layers', () => {
  assert.deepEqual(tree.withoutRow(), []);
});

test('a folder of src imports only the layers that the table names', () => {
  assert.deepEqual(tree.forbiddenImports(), []);
});

test('a folder may import only those above it in the table', () => {
  const order = Object.keys(mayImport);
  const upward = order.flatMap((folder, at) =>
    (mayImport[folder] ?? [])
      .filter((other) => order.indexOf(other) >= at)
      .map((other) => `${folder} -> ${other}`),
  );
  assert.deepEqual(upward, []);
});

test('nothing in src imports tests, benchmarks or scripts', () => {
  assert.deepEqual(tree.importsFromOutside(), []);
});

test('no file lies loose in src, in no room', () => {
  assert.deepEqual(tree.loose(), []);
});

test('no file imports itself by way of others', () => {
  assert.deepEqual(tree.cycles(), []);
});

test('no file is longer than a reader can take in, or was packed to be just below that', () => {
  assert.deepEqual(tree.tooLong(), []);
});

test('the native transport and the supervisor stay under their bounds', () => {
  assert.deepEqual(tree.tooMuchNative(), []);
});

test('files are TypeScript, named in kebab case after what they hold', () => {
  assert.deepEqual(tree.badlyNamed(), []);
});

test('no source file reads a switch that only tests set', () => {
  assert.deepEqual(tree.switchedByTests(), []);
});
