import type { History, Operation } from './operations.ts';

const put = (key: string, body = ''): Operation => ({ kind: 'put', key, body });
const gone = (key: string): Operation => ({ kind: 'delete', key });
const clear = (key: string): Operation => ({ kind: 'clear', key });
const latin1 = (text: string): string => Buffer.from(text).toString('latin1');

export interface KeptHistory {
  /** The end of the sentence "the model holds for …" */
  readonly name: string;
  readonly history: History;
}

/**
 * Histories that every run tries, by name: those to which a failed random run shrank, and those that random runs meet
 * too seldom. Write a new failure down here, as small as fast-check made it.
 */
export const kept: readonly KeptHistory[] = [
  {
    name: 'a file that becomes a directory, and a file again with its first content',
    history: [
      [put('thing', 'x = 1\n')],
      [gone('thing'), put('thing/below')],
      [clear('thing/'), put('thing', 'x = 1\n')],
    ],
  },
  {
    name: 'an object behind a directory of its name, which is shown when that goes, and hidden when it returns',
    history: [
      [put('a', 'x = 1\n'), put('a/b')],
      [put('a', 'x = 2\n')],
      [gone('a/b')],
      [put('a/')],
      [gone('a/'), put('a', 'x = 1\n')],
    ],
  },
  {
    name: 'a deep directory that is removed and returns with older content',
    history: [
      [put('d/e/f/g', 'x = 1\n'), put('d/h')],
      [put('d/e/f/g', 'x = 2\n')],
      [clear('d/e/')],
      [put('d/e/f/g', 'x = 1\n')],
    ],
  },
  {
    name: 'a marker that keeps its directory when all else in it goes',
    history: [[put('m/'), put('m/a')], [gone('m/a')], [gone('m/')]],
  },
  {
    name: 'the same bytes put again, which change nothing',
    history: [
      [put('a', 'x = 1\n'), put('d/b')],
      [put('a', 'x = 1\n'), put('d/b')],
    ],
  },
  {
    name: 'keys that are no paths, which come and go and change nothing',
    history: [
      [put('d/a', 'x = 1\n')],
      [put('d//a'), put('d/./a'), put('../a'), put('d/a/', 'x'), put('d/\0'), put('d/\xff/a')],
      [clear('d//'), gone('d/./a'), gone('../a'), gone('d/a/'), gone('d/\xff/a')],
    ],
  },
  {
    name: 'two spellings of one letter and its two cases, changed one by one',
    history: [
      [put(latin1('é')), put(latin1('e\u0301')), put('e'), put('E')],
      [put(latin1('é'), 'x = 1\n')],
      [put(latin1('e\u0301'), 'x = 2\n'), gone('E')],
      [gone(latin1('é')), put('E')],
    ],
  },
  {
    name: 'names that differ in their last byte, at the longest',
    history: [
      [put(`${'x'.repeat(254)}a`), put(`${'x'.repeat(254)}b/c`), put('x'.repeat(256))],
      [gone(`${'x'.repeat(254)}a`), gone('x'.repeat(256))],
    ],
  },
];
