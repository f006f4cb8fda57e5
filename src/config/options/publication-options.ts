import * as kinds from '../kinds.ts';
import { optional, setting } from './option.ts';

/** The options about when the mount looks for changes, and when it shows them. */
export const publicationOptions = {
  'poll-interval': setting({
    group: 'publication',
    kind: kinds.duration({ min: '250ms', max: '24h' }),
    help: 'Time between two polls, varied at random by up to a tenth',
    default: '10s',
  }),
  settle: setting({
    group: 'publication',
    kind: kinds.duration({ max: '10m' }),
    help: 'How long the listing must be unchanged before dagmount shows a change, so that a deploy arrives as one change; 0 is off',
    default: '1s',
  }),
  'unreadable-wait': setting({
    group: 'publication',
    kind: kinds.duration({ max: '1h' }),
    help: 'How long a tree waits for an object that the store does not return, before dagmount shows that file with EIO; 0 does not wait',
    default: '60s',
  }),
  'watch-key': optional({
    group: 'publication',
    kind: kinds.text(
      'KEY',
      'a key below the prefix, as a path: no slash at its beginning or end, no empty component, no . or ..',
      /^(?!s3:\/\/)(?!\.{1,2}(?:\/|$))[^\0\n/]+(?:\/(?!\.{1,2}(?:\/|$))[^\0\n/]+)*$/,
    ),
    help: 'Poll this object instead of the listing; list only when the object has changed, and every 10 minutes',
    described: 'none',
  }),
  events: optional({
    group: 'publication',
    kind: kinds.queue(),
    help: 'SQS queue with the events of the bucket: besides polling, check the source when an event arrives',
    described: 'none',
  }),
  'webhook-listen': optional({
    group: 'publication',
    kind: kinds.hostAndPort(),
    help: 'Accept POST requests that prove a secret; they can only make dagmount check the source now',
    described: 'off',
  }),
  'webhook-secret-file': optional({
    group: 'publication',
    kind: kinds.path('FILE'),
    help: 'The secrets of --webhook-listen, one a line; dagmount reads the file again when it changes',
    described: 'none',
  }),
  prefetch: setting({
    group: 'publication',
    kind: kinds.size({}, { all: Number.POSITIVE_INFINITY }),
    help: 'Fetch files up to this size before they are shown; 0 fetches none',
    default: '8MiB',
  }),
  'max-delete': setting({
    group: 'publication',
    kind: kinds.percent(),
    help: 'Hold a listing that has lost more than this share of the files; 100% holds only an empty one',
    default: '50%',
  }),
  'allow-empty': setting({
    group: 'publication',
    kind: kinds.toggle(),
    help: 'Accept a prefix without objects, at the start and later',
    default: 'false',
    described: 'off',
  }),
} as const;
