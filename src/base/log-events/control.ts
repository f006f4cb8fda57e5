import type { LogEventDeclaration } from './declaration.ts';

/** Events of the control socket and the metrics port. */
export const controlEvents = {
  listening: {
    levels: ['info'],
    fields: ['socket', 'metricsPort', 'webhookPort'],
    meaning:
      'The control socket accepts requests, and so do the metrics port and the webhook port if there are any.',
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
  'webhook-refused': {
    levels: ['warn'],
    fields: ['code', 'count'],
    meaning:
      'The webhook refused requests: `code` is the reason for the last one, `count` their number since the previous line. At most one line a minute.',
  },
  'webhook-secret-unusable': {
    levels: ['warn'],
    fields: ['detail'],
    meaning:
      'The file of `--webhook-secret-file` cannot be read or holds no secret. The webhook refuses every request until the file can be used again.',
  },
  'webhook-failed': {
    levels: ['error'],
    fields: ['err'],
    meaning: 'A request to the webhook failed because of a bug in dagmount. Please report it.',
  },
} as const satisfies Readonly<Record<string, LogEventDeclaration>>;
