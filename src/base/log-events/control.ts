import type { LogEventDeclaration } from './declaration.ts';

/** Events of the control socket and the metrics port. */
export const controlEvents = {
  listening: {
    levels: ['info'],
    fields: ['socket', 'metricsPort'],
    meaning: 'The control socket, and the metrics port if there is one, accept requests.',
  },
  asked: {
    levels: ['info'],
    fields: ['request', 'what', 'body'],
    meaning: 'The control socket got a request that changes something.',
  },
  answered: {
    levels: ['info'],
    fields: ['request', 'what', 'body', 'status', 'code'],
    meaning: 'The answer to the request of `asked`: its status, or the `code` of the error.',
  },
  'control-request-failed': {
    levels: ['error'],
    fields: ['request', 'method', 'url', 'err'],
    meaning: 'A request to the control socket failed because of a bug in dagmount. Please report it.',
  },
  'control-answer-failed': {
    levels: ['error'],
    fields: ['err'],
    meaning:
      'An answer of the control socket could not be sent because of a bug in dagmount. Please report it.',
  },
  'open-request-failed': {
    levels: ['error'],
    fields: ['err'],
    meaning: 'A request to the metrics port failed because of a bug in dagmount. Please report it.',
  },
} as const satisfies Readonly<Record<string, LogEventDeclaration>>;
