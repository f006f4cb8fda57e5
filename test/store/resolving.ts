import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { environmentOfProcess } from '../../src/config/host-environment.ts';
import { resolveOptions } from '../../src/config/resolve.ts';
import { parseS3Address } from '../../src/config/s3-address.ts';
import { Transport } from '../../src/store/http/transport.ts';
import { ProcessProfile } from '../../src/store/sdk/process-profile.ts';
import { type Resolution, type ResolveOptions, resolveTarget } from '../../src/store/sdk/resolve.ts';
import { setAwsEnvironment } from '../support/aws-environment.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';
import { settingsOf } from './open-store.ts';

/** Sets these variables and no others of AWS's, so that nothing of this host is found by chance. */
export async function inEnvironment(
  t: Cleanup,
  variables: Readonly<Record<string, string>>,
  files: { readonly config?: string; readonly credentials?: string } = {},
): Promise<string> {
  const directory = await temporaryDirectory(t);
  const config = join(directory, 'config');
  const credentials = join(directory, 'credentials');
  await writeFile(config, files.config ?? '');
  await writeFile(credentials, files.credentials ?? '');
  setAwsEnvironment(t, {
    HOME: directory,
    AWS_CONFIG_FILE: config,
    AWS_SHARED_CREDENTIALS_FILE: credentials,
    AWS_EC2_METADATA_DISABLED: 'true',
    ...variables,
  });
  return directory;
}

export async function resolve(
  t: Cleanup,
  address: string,
  options: Partial<ResolveOptions> = {},
): Promise<Resolution> {
  const transport = new Transport(settingsOf());
  defer(t, () => transport.close());
  // As if each test were a process of its own.
  const profileOfProcess = new ProcessProfile();
  const place = parseS3Address(address);
  return resolveTarget({ ...place, transport, profileOfProcess, ...configured(options), ...options });
}

/** The options that the configuration makes of the environment and of AWS's files, as for a mount. */
export function configured({ profile, region, endpointUrl, forcePathStyle }: Partial<ResolveOptions>) {
  const flags = profile === undefined ? [] : [['profile', { text: profile, origin: FLAG }] as const];
  const { values } = resolveOptions(new Map(flags), environmentOfProcess());
  const found = {
    endpointUrl: endpointUrl ?? values['endpoint-url'],
    region: region ?? values.region,
    forcePathStyle: forcePathStyle ?? values['force-path-style'],
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

export const FLAG = { kind: 'flag', flag: '--profile' } as const;

export const KEYS = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'hush' };
export const POINT = 'arn:aws:s3:us-west-2:123456789012:accesspoint/name';
