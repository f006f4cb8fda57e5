import type { FlagSpec } from '../../config/command-line.ts';

/** The flags of every command that makes a step. */
export const STEP_FLAGS: readonly FlagSpec[] = [
  { name: 'message', takesValue: true, short: 'm' },
  { name: 'author', takesValue: true },
  { name: 'commit', takesValue: true },
  { name: 'url', takesValue: true },
  { name: 'sign', takesValue: true },
  { name: 'principal', takesValue: true },
  { name: 'at', takesValue: true },
  { name: 'replace', takesValue: false },
  { name: 'allow-deletions', takesValue: false },
];
