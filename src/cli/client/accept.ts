import { ConfigError } from '../../config/config-error.ts';
import type { Accepted } from '../../control/shapes/status.ts';
import { plural } from '../format.ts';
import { clientCommand } from './client-command.ts';
import { timeoutOf } from './refresh.ts';

const GRACE_MS = 15_000;
/** A whole id is required, although diff accepts a shortened one: the operator approves exactly this tree. */
const WHOLE_ID = /^[0-9a-f]{32}$/;

export const run = clientCommand<Accepted>({
  name: 'accept',
  isOfTree: true,
  flags: [{ name: 'timeout', takesValue: true }],
  arguments: 1,
  ask: (client, given) => {
    const timeoutMs = timeoutOf(given, 'accept');
    const [generation] = given.positionals;
    if (generation !== undefined && !WHOLE_ID.test(generation)) {
      throw new ConfigError(
        'usage',
        `${JSON.stringify(generation)} is not the id of a generation.`,
        'Give all 32 hex digits, as dagmount status shows them of what is held, or none to accept that.',
      );
    }
    return client.ask('/v1/accept', {
      method: 'POST',
      body: {
        ...(generation !== undefined && { generation }),
        timeoutSeconds: Math.max(1, timeoutMs / 1000),
      },
      deadlineMs: timeoutMs + GRACE_MS,
    });
  },
  show: ({ generation: { number, id, files } }) =>
    `Published: generation ${number} ${id} with ${plural(files, 'file')}.\n`,
});
