import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { loadSharedConfigFiles } from '@smithy/core/config';
import { readAwsProfile } from '../../src/config/aws-files.ts';
import { environmentOfProcess } from '../../src/config/host-environment.ts';
import { resolveMountConfig } from '../../src/config/mount-config.ts';
import { mountId } from '../../src/config/mount-id.ts';
import type { OptionName } from '../../src/config/options/options.ts';
import { printedConfig } from '../../src/config/print-config.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { environment } from './host-environment.ts';
import { givenFlags, optionIn, refusal, resolved } from './resolved.ts';

const CONFIG = '/home/airflow/.aws/config';
const CREDENTIALS = '/home/airflow/.aws/credentials';

/** A host with these files. */
function withFiles(files: Readonly<Record<string, string>>) {
  return { readText: (path: string) => files[path] };
}

function optionValue(
  name: OptionName,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  config: string,
  credentials = '',
): unknown {
  const files = { [CONFIG]: config, [CREDENTIALS]: credentials };
  return optionIn(resolved(args, env, withFiles(files)), name).value;
}

describe('the endpoint', () => {
  const config = [
    '[default]',
    'endpoint_url = http://default',
    '[profile global]',
    'endpoint_url = http://global',
    '[profile services]',
    'services = mine',
    'endpoint_url = http://global',
    '[profile other-services]',
    'services = sts-only',
    'endpoint_url = http://global',
    '[profile ignoring]',
    'ignore_configured_endpoint_urls = true',
    'endpoint_url = http://global',
    '[profile plain]',
    'region = eu-west-1',
    '[services mine]',
    's3 =',
    '  endpoint_url = http://service',
    'sts =',
    '  endpoint_url = http://sts',
    '[services sts-only]',
    'sts =',
    '  endpoint_url = http://sts',
  ].join('\n');
  const cases: readonly (readonly [
    says: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    endpoint: string | undefined,
  ])[] = [
    ['the profile default', [], {}, 'http://default'],
    ['--profile', ['--profile', 'global'], {}, 'http://global'],
    ['AWS_PROFILE', [], { AWS_PROFILE: 'global' }, 'http://global'],
    ['AWS_DEFAULT_PROFILE', [], { AWS_DEFAULT_PROFILE: 'global' }, 'http://global'],
    ['DAGMOUNT_PROFILE', [], { DAGMOUNT_PROFILE: 'global', AWS_PROFILE: 'plain' }, 'http://global'],
    ['the services section, before the profile', ['--profile', 'services'], {}, 'http://service'],
    ['the profile, where services say nothing of S3', ['--profile', 'other-services'], {}, 'http://global'],
    [
      'AWS_ENDPOINT_URL, before the profile',
      ['--profile', 'services'],
      { AWS_ENDPOINT_URL: 'http://e' },
      'http://e',
    ],
    [
      'AWS_ENDPOINT_URL_S3, before AWS_ENDPOINT_URL',
      ['--profile', 'services'],
      { AWS_ENDPOINT_URL: 'http://e', AWS_ENDPOINT_URL_S3: 'http://s3' },
      'http://s3',
    ],
    [
      '--endpoint-url, before all of them',
      ['--profile', 'services', '--endpoint-url', 'http://flag'],
      { AWS_ENDPOINT_URL_S3: 'http://s3' },
      'http://flag',
    ],
    ['AWS, where another profile says one', ['--profile', 'plain'], { AWS_PROFILE: 'global' }, undefined],
    ['AWS, where there is no such profile', ['--profile', 'nobody'], {}, undefined],
    [
      'AWS, where the profile ignores them',
      ['--profile', 'ignoring'],
      { AWS_ENDPOINT_URL: 'http://e' },
      undefined,
    ],
    [
      'AWS, where the environment ignores them',
      ['--profile', 'global'],
      { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'TRUE' },
      undefined,
    ],
    [
      'the profile, where the environment does not ignore them and the profile does',
      ['--profile', 'ignoring'],
      { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'false' },
      'http://global',
    ],
    [
      '--endpoint-url, where configured ones are ignored',
      ['--endpoint-url', 'http://flag'],
      { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' },
      'http://flag',
    ],
  ];
  for (const [says, args, env, endpoint] of cases) {
    test(`is that of ${says}`, () => {
      assert.equal(optionValue('endpoint-url', args, env, config), endpoint);
    });
  }

  test('is refused where the profile names a services section that is missing', () => {
    const files = withFiles({ [CONFIG]: '[profile team]\nservices = gone\n' });
    assert.match(
      refusal(() => resolved(['--profile', 'team'], {}, files)),
      /^bad-value: services of profile team in \S+config names "gone", and there is no such section.*\[services gone\]/,
    );
    assert.equal(
      optionIn(resolved(['--profile', 'team', '--endpoint-url', 'http://x'], {}, files), 'endpoint-url')
        .value,
      'http://x',
    );
  });

  test('that is none is refused, and its place is named', () => {
    const files = withFiles({ [CONFIG]: '[profile team]\nendpoint_url = minio:9000x\n' });
    assert.match(
      refusal(() => resolved(['--profile', 'team'], {}, files)),
      /^bad-value: endpoint_url of profile team in \/home\/airflow\/\.aws\/config cannot be "minio:9000x"/,
    );
  });

  test('is in --print-config with its place, and in the id of the mount', () => {
    const host = environment(withFiles({ [CONFIG]: config }));
    const id = (args: readonly string[]): string => {
      const { config: mount } = resolveMountConfig('s3://b/p', '/opt/dags', givenFlags(args), host);
      return mountId(mount);
    };
    const { options, config: mount } = resolveMountConfig(
      's3://b/p',
      '/opt/dags',
      givenFlags(['--profile', 'services']),
      host,
    );
    assert.match(
      printedConfig({ source: mount.source, target: mount.target, id: 'x' }, options),
      /^endpoint-url: http:\/\/service +# default, from s3 endpoint_url of services mine in \/home\/airflow\/\.aws\/config$/m,
    );
    assert.equal(id(['--profile', 'services']), id(['--endpoint-url', 'http://service']));
    // If the store is AWS's own, the id is the same as before dagmount read profiles.
    assert.equal(
      id(['--profile', 'plain']),
      mountId({ endpoints: [undefined], bucket: 'b', prefix: 'p/', target: '/opt/dags' }),
    );
  });
});

describe('a profile', () => {
  test('gives region, addressing style and authorities, each after flags and variables', () => {
    const config =
      '[profile x]\nregion = eu-west-1\nca_bundle = certs/ca.pem\ns3 =\n  addressing_style = path\n';
    const x = ['--profile', 'x'];
    assert.equal(optionValue('region', x, {}, config), 'eu-west-1');
    assert.equal(optionValue('region', x, { AWS_REGION: 'eu-west-2' }, config), 'eu-west-2');
    assert.equal(optionValue('region', [...x, '--region', 'eu-west-3'], {}, config), 'eu-west-3');
    assert.equal(optionValue('force-path-style', x, {}, config), true);
    assert.equal(optionValue('force-path-style', [...x, '--no-force-path-style'], {}, config), false);
    assert.equal(optionValue('ca-file', x, {}, config), '/srv/here/certs/ca.pem');
    assert.equal(optionValue('ca-file', x, { AWS_CA_BUNDLE: '/other.pem' }, config), undefined);
    assert.equal(optionValue('region', [], {}, config), undefined);
  });

  test('has three addressing styles, and no other', () => {
    const style = (text: string) => `[default]\ns3 =\n    addressing_style = ${text}\n`;
    assert.equal(optionValue('force-path-style', [], {}, style('virtual')), false);
    assert.equal(optionValue('force-path-style', [], {}, style('auto')), undefined);
    assert.match(
      refusal(() => optionValue('force-path-style', [], {}, style('odd'))),
      /^bad-value: s3 addressing_style of profile default in \S+ cannot be "odd"\. Allowed: path, virtual or auto/,
    );
  });

  test('may stand in the credentials file, and the config file goes before it', () => {
    assert.equal(optionValue('region', ['--profile', 'x'], {}, '', '[x]\nregion = eu-west-1\n'), 'eu-west-1');
    assert.equal(
      optionValue(
        'region',
        ['--profile', 'x'],
        {},
        '[profile x]\nregion = eu-west-2\n',
        '[x]\nregion = eu-west-1\n',
      ),
      'eu-west-2',
    );
  });

  test('is looked for where the variables say that the files are', () => {
    const files = withFiles({
      '/home/airflow/mine': '[default]\nregion = eu-west-1\n',
      '/srv/here/keys': '[default]\nca_bundle = /ca.pem\n',
    });
    const env = { AWS_CONFIG_FILE: '~/mine', AWS_SHARED_CREDENTIALS_FILE: 'keys' };
    assert.equal(optionIn(resolved([], env, files), 'region').value, 'eu-west-1');
    assert.equal(optionIn(resolved([], env, files), 'ca-file').value, '/ca.pem');
  });

  test('reads as the SDK reads it, which finds the credentials of it', async (t) => {
    const directory = await temporaryDirectory(t);
    const config = [
      '# a comment',
      'lost = 1',
      '[default]',
      'region=eu-west-1 ; not this',
      'a = b#c',
      '[profile "quoted"]',
      'x = 1',
      "[profile 'single']",
      'x = 2',
      '[profile with blanks]',
      'x = 3',
      '[plain]',
      'x = 4',
      '[profile nested]',
      's3 =',
      '  addressing_style = path',
      '\tother = 5',
      'after = 6',
      'empty =',
      'next = 7',
      '[profile twice]',
      'x = 8',
      'x = 9',
      '[profile twice]',
      'y = 10',
      '[profile dots.and-dashes@x]',
      'url = http://a=b',
      '[services s]',
      's3 =',
      '  endpoint_url = http://s',
      '[sso-session s]',
      'sso_region = x',
      '[profile crlf]\r',
      'x = 11\r',
    ].join('\n');
    const credentials = '[default]\nregion = lost\nonly = here\n[with blanks]\nx = 12\n[nested]\nz = 13\n';
    const [configFile, credentialsFile] = [join(directory, 'config'), join(directory, 'credentials')];
    await writeFile(configFile, config);
    await writeFile(credentialsFile, credentials);
    const sdk = await loadSharedConfigFiles({
      configFilepath: configFile,
      filepath: credentialsFile,
      ignoreCache: true,
    });
    const env = { AWS_CONFIG_FILE: configFile, AWS_SHARED_CREDENTIALS_FILE: credentialsFile };
    const host = environment({ env, readText: environmentOfProcess().readText });
    const keys = [
      'region',
      'a',
      'x',
      'y',
      's3.addressing_style',
      's3.other',
      'after',
      'empty',
      'next',
      'empty.next',
      'url',
      'only',
      'z',
      'lost',
    ];
    for (const name of [
      'default',
      'quoted',
      'single',
      'with blanks',
      'plain',
      'nested',
      'twice',
      'dots.and-dashes@x',
      'crlf',
      's',
    ]) {
      const merged = { ...sdk.credentialsFile[name], ...sdk.configFile[name] };
      const profile = readAwsProfile(name, host);
      for (const key of keys) assert.equal(profile.value(key)?.text, merged[key], `${name}: ${key}`);
    }
  });
});
