import type { Accepted } from '../../control/shapes.ts';
import { plural } from '../format.ts';
import { clientCommand } from './client-command.ts';
import { timeoutOf } from './refresh.ts';

const GRACE_MS = 15_000;

export const run = clientCommand<Accepted>({
  name: 'accept',
  flags: [{ name: 'timeout', takesValue: true }],
  arguments: 1,
  ask: (client, given) => {
    const timeoutMs = timeoutOf(given, 'accept');
    const [generation] = given.positionals;
    return client.ask('/v1/accept', {
      method: 'POST',
      body: { ...(generation !== undefined && { generation }), timeoutSeconds: timeoutMs / 1000 },
      deadlineMs: timeoutMs + GRACE_MS,
    });
  },
  show: ({ generation: { number, id, files } }) =>
    `Published: generation ${number} ${id} with ${plural(files, 'file')}.\n`,
});
