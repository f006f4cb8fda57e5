import type { RunCommand } from '../shell.ts';
export const run: RunCommand = async () => 0;
