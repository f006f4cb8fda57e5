import { readFileSync } from 'node:fs';
import { ConfigError } from './config-error.ts';

/**
 * Returns the number of a group, which is given by its number or its name. Throws ConfigError `bad-value` if
 * no group of the host has that name.
 */
export function groupId(group: string, file = '/etc/group'): number {
  if (/^\d{1,10}$/.test(group)) return Number(group);
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [name, , id] = line.split(':');
    if (name === group && id !== undefined) return Number(id);
  }
  throw new ConfigError(
    'bad-value',
    `socket-group cannot be ${group}: ${file} names no such group.`,
    'Give a group of this host, or its number, as getent group prints it.',
  );
}
