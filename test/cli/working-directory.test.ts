import assert from 'node:assert/strict';
import { test } from 'node:test';
import { absoluteIn } from '../../src/cli/working-directory.ts';

test('options of Node.js that name relative files are made absolute, and others stay', () => {
  for (const [options, absolute] of [
    ['--require ./trace.js', '--require /home/u/./trace.js'],
    ['-r ../a.cjs --import=./b.mjs', '-r /home/u/../a.cjs --import=/home/u/./b.mjs'],
    ['--require "./with space.js"', '--require "/home/u/./with space.js"'],
    ['./main.js', '/home/u/./main.js'],
    ['--require dotenv/config', '--require dotenv/config'],
    ['--max-old-space-size=100 --require /a/./b.js', '--max-old-space-size=100 --require /a/./b.js'],
    ['', ''],
  ] as const) {
    assert.equal(absoluteIn('/home/u', options), absolute);
  }
});
