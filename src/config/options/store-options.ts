import * as aws from '../aws-settings.ts';
import * as kinds from '../kinds.ts';
import { optional, setting } from './option.ts';

/** The options about where the store is, and how to send requests to it. */
export const storeOptions = {
  'endpoint-url': optional({
    group: 'store',
    kind: kinds.endpoint(),
    help: "The store's address, if it is not AWS's own. Path-style addressing is then the default",
    described: "AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's, else AWS's own",
    variables: ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'],
    inProfile: aws.endpointOf,
    unless: aws.ignoresEndpoints,
  }),
  region: optional({
    group: 'store',
    kind: kinds.text('REGION', 'the name of a region, such as eu-central-1', /^[A-Za-z0-9][A-Za-z0-9._-]*$/),
    help: 'The region of the bucket',
    described: "AWS_REGION, AWS_DEFAULT_REGION, the profile's, else us-east-1",
    variables: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
    inProfile: (profile) => profile.value('region'),
  }),
  // Has a value only if an option of dagmount names the profile. The SDK itself reads AWS_PROFILE.
  profile: optional({
    group: 'store',
    kind: kinds.text('NAME', "the name of a profile in AWS's own files", /^[^\p{Cc}]+$/u),
    help: "The profile of AWS's own files for credentials, region, endpoint and the like",
    described: 'AWS_PROFILE, AWS_DEFAULT_PROFILE, else default',
  }),
  'force-path-style': optional({
    group: 'store',
    kind: kinds.toggle(),
    help: 'Put the name of the bucket into the path, not into the host name',
    described: "the profile's addressing_style, else on where the endpoint is outside amazonaws.com",
    inProfile: aws.pathStyleOf,
  }),
  'no-sign-request': setting({
    group: 'store',
    kind: kinds.toggle(),
    help: 'Send requests without credentials, to a public bucket',
    default: 'false',
    described: 'off',
  }),
  'request-payer': setting({
    group: 'store',
    kind: kinds.toggle(),
    help: 'Agree to pay for the requests to a bucket whose owner demands it',
    default: 'false',
    described: 'off',
  }),
  'ca-file': optional({
    group: 'store',
    kind: kinds.path('FILE'),
    help: 'Certificates (PEM) to trust for connections to the store',
    described: "AWS_CA_BUNDLE, the profile's ca_bundle, else the system's",
    inProfile: (profile) => profile.value('ca_bundle'),
    // Ignores the profile if AWS_CA_BUNDLE is set, which overrides the profile. That variable is read with
    // the other settings of connections.
    unless: ({ env }) => (env.AWS_CA_BUNDLE ?? '') !== '',
  }),
  'standby-source': setting({
    group: 'store',
    kind: kinds.list('ADDRESS', 'an address such as s3://BUCKET/PREFIX', /^s3:\/\/\S+$/),
    help: 'Where to read the tree while the first source cannot be reached; dagmount tries several in order',
    default: [],
    described: 'none',
  }),
  'standby-endpoint-url': setting({
    group: 'store',
    kind: kinds.list('URL', 'an http:// or https:// address, or -', /^(?:https?:\/\/[^\s@?#]+|-)$/),
    help: "The address of the standby's store, if it is not AWS's own; one for all standbys, or one for each",
    default: [],
    described: "AWS's own",
  }),
  'standby-region': setting({
    group: 'store',
    kind: kinds.list('REGION', 'the name of a region, or -', /^(?:[A-Za-z0-9][A-Za-z0-9._-]*|-)$/),
    help: 'The region of the standby; one for all standbys, or one for each',
    default: [],
    described: 'us-east-1, or the one that AWS names in its answer',
  }),
  'standby-profile': setting({
    group: 'store',
    kind: kinds.list('NAME', 'the name of a profile, or -', /^[^\p{Cc}]+$/u),
    help: "The profile of AWS's own files for the standby's credentials; one for all standbys, or one for each",
    default: [],
    described: 'the credentials of the first source',
  }),
  'standby-after': setting({
    group: 'store',
    kind: kinds.duration({ max: '24h' }),
    help: 'How long the first source must fail before dagmount reads a standby',
    default: '30s',
  }),
  concurrency: setting({
    group: 'store',
    kind: kinds.integer(1, 1024),
    help: 'Maximum number of requests to the store at a time',
    default: '96',
  }),
  'read-deadline': setting({
    group: 'store',
    kind: kinds.duration({ min: '100ms', max: '10m' }),
    help: 'How long a read of content that is not local waits for the store before it fails',
    default: '10s',
  }),
  'wait-for-store': setting({
    group: 'store',
    kind: kinds.duration({ max: '24h' }),
    help: 'How long a start without a kept tree waits for the store; 0 does not wait',
    default: '0',
  }),
} as const;
