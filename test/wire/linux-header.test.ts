import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as constants from '../../src/wire/constants.ts';
import { ERRNO, OPCODES } from '../../src/wire/index.ts';
import * as structs from '../../src/wire/structs.ts';
import { temporaryDirectory } from '../support/temporary.ts';

/** The minor version that introduced each field and enumerator: #ifdef cannot test a header for these. */
const SINCE: Readonly<Record<string, number>> = {
  'fuse_in_header.total_extlen': 38,
  'fuse_init_in.flags2': 36,
  'fuse_init_out.flags2': 36,
  'fuse_init_out.max_stack_depth': 40,
  'fuse_init_out.request_timeout': 43,
  'fuse_notify_inval_entry_out.flags': 38,
  fuse_statx_in: 39,
  'fuse_init_out.map_alignment': 31,
  'fuse_attr.flags': 32,
  fuse_copy_file_range_in: 28,
  fuse_setupmapping_in: 31,
  fuse_removemapping_in: 31,
  fuse_syncfs_in: 34,
  FUSE_COPY_FILE_RANGE: 28,
  FUSE_SETUPMAPPING: 31,
  FUSE_REMOVEMAPPING: 31,
  FUSE_SYNCFS: 34,
  FUSE_TMPFILE: 37,
  FUSE_STATX: 39,
  FUSE_COPY_FILE_RANGE_64: 45,
  FUSE_NOTIFY_RESEND: 40,
  FUSE_NOTIFY_PRUNE: 45,
  fuse_notify_prune_out: 45,
};

/** Every checked fact, with the C expression for it. */
const facts: [label: string, expression: string, value: bigint][] = [];

for (const [name, layout] of Object.entries(structs)) {
  for (const [field, value] of Object.entries(layout)) {
    const struct = `struct ${name}`;
    const expression = field === 'sizeof' ? `sizeof(${struct})` : `offsetof(${struct}, ${field})`;
    facts.push([field === 'sizeof' ? name : `${name}.${field}`, expression, BigInt(value)]);
  }
}
for (const [name, value] of Object.entries(constants)) facts.push([name, name, BigInt(value)]);
for (const [name, value] of Object.entries(ERRNO)) facts.push([name, name, BigInt(value)]);
for (const { name, opcode } of OPCODES) {
  const macro = `FUSE_${name.toUpperCase()}`;
  facts.push([macro, macro, BigInt(opcode)]);
}

function since(label: string): number {
  return SINCE[label] ?? SINCE[label.split('.')[0] ?? ''] ?? 0;
}

/** #ifdef tests whether a macro exists. The header's minor version tells whether anything else exists. */
function probe([label, expression]: (typeof facts)[number]): string {
  const print = `  printf("%s %llu\\n", ${JSON.stringify(label)}, (unsigned long long)(${expression}));`;
  const isMacro = /^(FUSE_|E[A-Z0-9]+$)/.test(label) && !isEnumerator(label);
  return isMacro
    ? `#ifdef ${label}\n${print}\n#endif`
    : `#if FUSE_KERNEL_MINOR_VERSION >= ${since(label)}\n${print}\n#endif`;
}

function isEnumerator(label: string): boolean {
  return (
    label.startsWith('FUSE_NOTIFY_') || OPCODES.some(({ name }) => `FUSE_${name.toUpperCase()}` === label)
  );
}

function missing(): string | false {
  const source = '#include <linux/fuse.h>\n';
  const compiled = spawnSync('cc', ['-x', 'c', '-fsyntax-only', '-'], { input: source });
  if (compiled.error !== undefined) return 'there is no C compiler (cc)';
  return compiled.status === 0 ? false : 'there is no <linux/fuse.h>';
}

test("every size, offset and constant is that of the system's <linux/fuse.h>", {
  skip: missing(),
}, async (t) => {
  const directory = await temporaryDirectory(t);
  const source = join(directory, 'facts.c');
  const program = join(directory, 'facts');
  const includes = ['errno.h', 'linux/fuse.h', 'stddef.h', 'stdio.h'].map((name) => `#include <${name}>`);
  const body = facts.map(probe).join('\n');
  writeFileSync(source, `${includes.join('\n')}\nint main(void) {\n${body}\n  return 0;\n}\n`);
  execFileSync('cc', ['-std=gnu11', '-o', program, source], { stdio: 'pipe' });
  const printed = execFileSync(program, { encoding: 'utf8' });
  const known = new Map(
    printed
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );

  const headerMinor = Number(known.get('FUSE_KERNEL_MINOR_VERSION'));
  known.delete('FUSE_KERNEL_MINOR_VERSION'); // the header's own version; ours is the newest known one
  for (const [label, , value] of facts) {
    const found = known.get(label);
    if (found !== undefined)
      assert.equal(`${label} ${value}`, `${label} ${BigInt.asUintN(64, BigInt(found))}`);
  }
  const unknown = facts.map(([label]) => label).filter((label) => !known.has(label));
  t.diagnostic(`minor ${headerMinor}: ${known.size} compared; not in this header: ${unknown.join(' ')}`);
  assert.ok(known.size > 250, `only ${known.size} were compared`);
});
