import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  isFileKey,
  negationOf,
  optionNames,
  optionOf,
  variableOf,
} from '../../src/config/options/options.ts';
import { describeOrigin } from '../../src/config/origin.ts';
import { type Cleanup, temporaryDirectory } from '../support/temporary.ts';
import { optionIn, refusal, resolved } from './resolved.ts';

async function configFile(t: Cleanup, yaml: string): Promise<string> {
  const file = join(await temporaryDirectory(t), 'dagmount.yaml');
  await writeFile(file, yaml);
  return file;
}

describe('a value', () => {
  test('comes from the flag before the environment, the file and the default', async (t) => {
    const file = await configFile(t, 'poll-interval: 3s\n');
    const options = resolved(['--poll-interval', '1s', '--config', file], { DAGMOUNT_POLL_INTERVAL: '2s' });
    assert.equal(options.values['poll-interval'], 1_000);
    assert.equal(describeOrigin(optionIn(options, 'poll-interval').origin), 'flag --poll-interval');
  });

  test('comes from the environment before the file and the default', async (t) => {
    const file = await configFile(t, 'poll-interval: 3s\n');
    const options = resolved(['--config', file], { DAGMOUNT_POLL_INTERVAL: '2s' });
    assert.equal(options.values['poll-interval'], 2_000);
    const { origin } = optionIn(options, 'poll-interval');
    assert.equal(describeOrigin(origin), 'environment DAGMOUNT_POLL_INTERVAL');
  });

  test('comes from the file before the default, with the line that says it', async (t) => {
    const file = await configFile(t, '# ours\n\npoll-interval: 3s\n');
    const options = resolved([], { DAGMOUNT_CONFIG: file });
    assert.equal(options.values['poll-interval'], 3_000);
    assert.equal(describeOrigin(optionIn(options, 'poll-interval').origin), `file ${file}, line 3`);
  });

  test('is the default where nobody says anything', () => {
    const options = resolved([]);
    assert.equal(options.values['poll-interval'], 10_000);
    assert.equal(describeOrigin(optionIn(options, 'poll-interval').origin), 'default');
  });

  test("comes from AWS's own variables where dagmount's say nothing", () => {
    const env = { AWS_ENDPOINT_URL: 'http://a.example', AWS_DEFAULT_REGION: 'eu-west-1' };
    const options = resolved([], env);
    assert.equal(options.values['endpoint-url'], 'http://a.example');
    assert.equal(options.values.region, 'eu-west-1');
    assert.equal(describeOrigin(optionIn(options, 'region').origin), 'default, from AWS_DEFAULT_REGION');
    assert.equal(resolved(['--region', 'x'], env).values.region, 'x');
    assert.equal(
      resolved([], { ...env, AWS_ENDPOINT_URL_S3: 'http://s3.example' }).values['endpoint-url'],
      'http://s3.example',
    );
    const ignoring = { ...env, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' };
    assert.equal(resolved([], ignoring).values['endpoint-url'], undefined);
  });

  test('that is overridden is checked all the same', () => {
    const env = { DAGMOUNT_CONCURRENCY: 'many' };
    assert.match(
      refusal(() => resolved(['--concurrency', '3'], env)),
      /^bad-value: DAGMOUNT_CONCURRENCY/,
    );
  });

  test('is frozen with the others', () => {
    assert.ok(Object.isFrozen(resolved([]).values));
  });
});

describe('every option', () => {
  for (const name of optionNames.filter(isFileKey)) {
    test(`${name} can be given as a flag, in the environment and in the file`, async (t) => {
      const { kind } = optionOf(name);
      const samples: Record<string, string> = {
        REGION: 'eu-central-1',
        ADDRESS: 's3://west/dags',
        NAME: 'prod',
        URL: 'https://s3.example',
        DURATION: '7s',
        NUMBER: '7',
        PERCENT: '7%',
        GLOB: '*.py',
        MODE: '027',
        UID: '7',
        GID: '7',
        FILE: '/etc/x',
        DIRECTORY: '/srv/x',
        SIZE: '7MiB',
        'SIZE|all': '7MiB',
        GROUP: 'airflow',
        KEY: 'deploy/version.txt',
        ENVIRONMENT: 'production',
        'HOST:PORT': '127.0.0.1:9100',
        'sqs:URL': 'sqs:https://sqs.eu-central-1.amazonaws.com/111122223333/dags',
        'socket-mode': '0660',
      };
      const text = samples[name] ?? samples[kind.placeholder ?? ''] ?? kind.choices[0] ?? '';
      const parsed = kind.schema.safeParse(kind.isList ? [text] : text);
      assert.ok(parsed.success, `${name} takes ${text}`);
      const flag = kind.placeholder === undefined ? [`--${name}`] : [`--${name}`, text];
      const file = await configFile(t, `${name}: ${kind.isList ? JSON.stringify([text]) : text}\n`);
      assert.deepEqual(resolved(flag).values[name], parsed.data);
      assert.deepEqual(resolved([], { [variableOf(name)]: text }).values[name], parsed.data);
      assert.deepEqual(resolved(['--config', file]).values[name], parsed.data);
    });
  }

  test('has a default that it takes itself', () => {
    for (const uid of [0, 1000]) {
      assert.doesNotThrow(() => resolved([], {}, { uid, logsToTerminal: uid === 0 }));
    }
  });

  test('has one line of help that is no sentence of its own', () => {
    for (const name of optionNames) assert.match(optionOf(name).help, /^[A-Z].*[^.\s]$/);
  });
});

describe('a switch', () => {
  for (const name of optionNames.filter((each) => negationOf(each) !== undefined)) {
    test(`${name} is turned on by --${name} and off by --${negationOf(name)}, the last one counts`, () => {
      assert.equal(resolved([`--${name}`]).values[name], true);
      assert.equal(resolved([`--${name}`, `--${negationOf(name)}`]).values[name], false);
      assert.equal(resolved([`--${negationOf(name)}`, `--${name}`]).values[name], true);
    });
  }

  test('of the AWS CLI whose name begins with no- is turned off by the rest of its name', () => {
    assert.equal(negationOf('no-sign-request'), 'sign-request');
  });

  test('takes true and false in the environment, and nothing else', () => {
    assert.equal(resolved([], { DAGMOUNT_ALLOW_EMPTY: 'true' }).values['allow-empty'], true);
    assert.equal(resolved([], { DAGMOUNT_ALLOW_OTHER: 'false' }, { uid: 0 }).values['allow-other'], false);
    for (const value of ['1', 'yes', 'TRUE', 'on']) {
      const said = refusal(() => resolved([], { DAGMOUNT_ALLOW_EMPTY: value }));
      assert.match(said, new RegExp(`^bad-value: DAGMOUNT_ALLOW_EMPTY cannot be "${value}".*true or false`));
    }
  });
});

describe('a list', () => {
  test('is repeated flags, a YAML list, or separated by commas in the environment', async (t) => {
    const wanted = ['*.py', 'sql/**'];
    assert.deepEqual(resolved(['--include', '*.py', '--include=sql/**']).values.include, wanted);
    assert.deepEqual(resolved([], { DAGMOUNT_INCLUDE: ' *.py, sql/**,' }).values.include, wanted);
    const file = await configFile(t, 'include:\n  - "*.py"\n  - sql/**\n');
    assert.deepEqual(resolved(['--config', file]).values.include, wanted);
  });

  test('of one place replaces that of another as a whole', () => {
    assert.deepEqual(resolved(['--exclude', 'a'], { DAGMOUNT_EXCLUDE: 'b,c' }).values.exclude, ['a']);
  });
});

describe('a path', () => {
  test('as a flag or variable is completed by the working directory', () => {
    assert.equal(resolved(['--cache-dir', 'cache']).values['cache-dir'], '/srv/here/cache');
    assert.equal(resolved([], { DAGMOUNT_CA_FILE: '../ca.pem' }).values['ca-file'], '/srv/ca.pem');
  });

  test('in a file is completed by the directory of the file', async (t) => {
    const file = await configFile(t, 'ca-file: ca.pem\n');
    assert.equal(resolved(['--config', file]).values['ca-file'], join(file, '../ca.pem'));
  });
});

describe('the default of', () => {
  test('cache-dir is /var/cache/dagmount as root, else below XDG_CACHE_HOME or ~/.cache', () => {
    const of = (env: Record<string, string>, uid: number) => resolved([], env, { uid }).values['cache-dir'];
    assert.equal(of({ XDG_CACHE_HOME: '/x' }, 0), '/var/cache/dagmount');
    assert.equal(of({ XDG_CACHE_HOME: '/x' }, 1000), '/x/dagmount');
    assert.equal(of({ XDG_CACHE_HOME: 'relative' }, 1000), '/home/airflow/.cache/dagmount');
    assert.equal(of({}, 1000), '/home/airflow/.cache/dagmount');
  });

  test("uid and gid are the caller's, allow-other is on as root", () => {
    const { values } = resolved([]);
    assert.deepEqual([values.uid, values.gid, values['allow-other']], [1000, 1001, false]);
    assert.equal(resolved([], {}, { uid: 0 }).values['allow-other'], true);
  });

  test('log-format is pretty on a terminal, else json', () => {
    assert.equal(resolved([], {}, { logsToTerminal: true }).values['log-format'], 'pretty');
    assert.equal(resolved([]).values['log-format'], 'json');
  });
});
