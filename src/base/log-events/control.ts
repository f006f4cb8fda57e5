import type { LogEventDeclaration } from './declaration.ts';

/** Events of the control socket and the metrics port. */
export const controlEvents = {
  listening: {
    levels: ['info'],
    fields: ['socket', 'metricsPort', 'webhookPort'],
    meaning:
      'dagmount accepts requests at the control socket `socket`, and at the ports `metricsPort` and `webhookPort` if the options ask for them.',
  },
  asked: {
    levels: ['info'],
    fields: ['request', 'what', 'body'],
    meaning:
      'The control socket got a request that can change something, for example from `dagmount refresh` or `dagmount accept`. `request` is the number of the request, `what` its method and path, and `body` its JSON body. `answered` with the same `request` follows.',
  },
  answered: {
    levels: ['info'],
    fields: ['request', 'what', 'body', 'status', 'code'],
    meaning:
      'dagmount answered the request that `asked` logged with the same `request`. `what` and `body` are the same as there: the method and path of the request, and its JSON body. `status` is the HTTP status if the request succeeded; `code` is the code of the error if it failed.',
  },
  'control-request-failed': {
    levels: ['error'],
    fields: ['request', 'method', 'url', 'err'],
    meaning:
      'A request to the control socket failed because of a bug in dagmount, and the client got an error. Please report it.',
  },
  'control-answer-failed': {
    levels: ['error'],
    fields: ['err'],
    meaning:
      'dagmount could not send an answer of the control socket because of a bug in dagmount, and closed the connection. Please report it.',
  },
  'open-request-failed': {
    levels: ['error'],
    fields: ['err'],
    meaning:
      'A request to the metrics port failed because of a bug in dagmount, and the client got an error. Please report it.',
  },
  'webhook-refused': {
    levels: ['warn'],
    fields: ['code', 'count'],
    meaning:
      'The webhook refused requests, so dagmount did not check the source for them. `code` is the reason for the last refusal, and `count` the number of refused requests since the previous such line. dagmount writes at most one such line a minute.',
  },
  'webhook-secret-unusable': {
    levels: ['warn'],
    fields: ['detail'],
    meaning:
      'dagmount cannot read the file of `--webhook-secret-file`, or finds no secret in it (`detail`). The webhook refuses every request until the file is repaired; no restart is needed.',
  },
  'webhook-failed': {
    levels: ['error'],
    fields: ['err'],
    meaning:
      'A request to the webhook failed because of a bug in dagmount, and the client got an error. Please report it.',
  },
} as const satisfies Readonly<Record<string, LogEventDeclaration>>;
