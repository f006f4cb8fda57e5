import { ConfigError } from '../../config/config-error.ts';
import { type LogLevelSet, logLevels } from '../../control/shapes/daemon.ts';
import { clientCommand } from './client-command.ts';

export const run = clientCommand<LogLevelSet>({
  name: 'log-level',
  arguments: 1,
  check: ({ positionals: [level] }) => {
    if (logLevels.some((each) => each === level)) return;
    throw new ConfigError(
      'usage',
      level === undefined ? 'The level is missing.' : `There is no level ${level}.`,
      `Allowed: ${logLevels.join(', ')}.`,
    );
  },
  ask: (client, { positionals: [level] }) => client.ask('/v1/log-level', { method: 'PUT', body: { level } }),
  show: ({ level, was }) =>
    level === was ? `The log level is ${level}, as it was.\n` : `The log level is ${level}; it was ${was}.\n`,
});
