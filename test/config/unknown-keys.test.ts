import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { givenByYaml } from '../../src/config/from-file.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { refusal, resolved } from './resolved.ts';

describe('a flag', () => {
  test('that is not known is refused with the one that may be meant', () => {
    const said = refusal(() => resolved(['--poll-intervall', '3s']));
    assert.match(
      said,
      /^usage: There is no option --poll-intervall of dagmount mount. Did you mean --poll-interval\?/,
    );
    assert.match(
      refusal(() => resolved(['--frobnicate'])),
      /^usage: There is no option --frobnicate .*See dagmount help mount/,
    );
    assert.match(
      refusal(() => resolved(['--no-alow-other'])),
      /Did you mean --no-allow-other\?/,
    );
  });

  test('of a later version is not taken for another', () => {
    assert.match(
      refusal(() => resolved(['--from-release=x'])),
      /^usage: There is no option --from-release/,
    );
  });

  test('without the value that it needs is refused', () => {
    for (const args of [['--region'], ['--region', '--allow-empty']]) {
      assert.match(
        refusal(() => resolved(args)),
        /^usage: --region needs a value/,
      );
    }
  });

  test('with a value that it does not take is refused', () => {
    assert.match(
      refusal(() => resolved(['--allow-empty=false'])),
      /^usage: --allow-empty takes no value/,
    );
  });
});

describe('a variable', () => {
  test('that no option has is refused with the one that may be meant', () => {
    const said = refusal(() => resolved([], { DAGMOUNT_POLL_INTERVALL: '3s' }));
    assert.match(said, /^unknown-key: .*DAGMOUNT_POLL_INTERVALL=3s.*Did you mean DAGMOUNT_POLL_INTERVAL\?/);
  });

  test('that says the opposite of an option is refused with what to set', () => {
    assert.match(
      refusal(() => resolved([], { DAGMOUNT_STANDBY: 'false' })),
      /^unknown-key: .*DAGMOUNT_STANDBY=false.* set DAGMOUNT_NO_STANDBY=true in its place/,
    );
    assert.match(
      refusal(() => resolved([], { DAGMOUNT_NO_DAEMON: 'true' })),
      / set DAGMOUNT_DAEMON=false in its place/,
    );
  });

  test('that is empty says nothing', () => {
    const { values } = resolved([], { DAGMOUNT_REGION: '', DAGMOUNT_INCLUDE: '', DAGMOUNT_NOTHING: '' });
    assert.equal(values.region, undefined);
    assert.deepEqual(values.include, []);
  });

  test('that Kubernetes makes for a service called dagmount is none of ours', () => {
    const env = {
      DAGMOUNT_SERVICE_HOST: '10.0.0.7',
      DAGMOUNT_SERVICE_PORT: '9100',
      DAGMOUNT_SERVICE_PORT_METRICS: '9100',
      DAGMOUNT_PORT: 'tcp://10.0.0.7:9100',
      DAGMOUNT_PORT_9100_TCP: 'tcp://10.0.0.7:9100',
      DAGMOUNT_PORT_9100_TCP_PROTO: 'tcp',
      DAGMOUNT_PORT_9100_TCP_PORT: '9100',
      DAGMOUNT_PORT_9100_TCP_ADDR: '10.0.0.7',
      DAGMOUNT_METRICS_SERVICE_HOST: '10.0.0.8',
      DAGMOUNT_METRICS_PORT: 'tcp://10.0.0.8:80',
    };
    assert.doesNotThrow(() => resolved([], env));
  });
});

describe('a file', () => {
  test('with an unknown key is refused with its line and the key that may be meant', () => {
    const said = refusal(() => givenByYaml('region: x\npoll_interval: 3s\n', '/etc/d.yaml'));
    assert.match(
      said,
      /^unknown-key: \/etc\/d\.yaml, line 2, sets poll_interval.*Did you mean poll-interval\?/,
    );
  });

  test('cannot name another file', () => {
    assert.match(
      refusal(() => givenByYaml('config: /etc/e.yaml\n', 'd')),
      /^unknown-key: .*a file cannot name another/,
    );
  });

  test('that is no YAML is refused with the line', () => {
    assert.match(
      refusal(() => givenByYaml('region: x\ninclude: [a\n', 'd.yaml')),
      /^unparsable-file: .*d\.yaml.*line [23]/,
    );
    assert.match(
      refusal(() => givenByYaml('a: b: c\n', 'd.yaml')),
      /^unparsable-file: .*line 1/,
    );
    assert.match(
      refusal(() => givenByYaml('region: a\nregion: b\n', 'd')),
      /^unparsable-file: .*line 2.*unique/,
    );
  });

  test('that is no mapping is refused', () => {
    for (const yaml of ['- region\n', 'region\n']) {
      assert.match(
        refusal(() => givenByYaml(yaml, 'd')),
        /^unparsable-file: .*mapping/,
      );
    }
  });

  test('with a value of another shape is refused', () => {
    assert.match(
      refusal(() => givenByYaml('region:\n', 'd')),
      /^bad-value: region has no value in d, line 1/,
    );
    assert.match(
      refusal(() => givenByYaml('region: [a]\n', 'd')),
      /^bad-value: region has a list/,
    );
    assert.match(
      refusal(() => givenByYaml('region: {a: b}\n', 'd')),
      /^bad-value: region has a mapping/,
    );
    assert.match(
      refusal(() => givenByYaml('include: {a: b}\n', 'd')),
      /^bad-value: include has a mapping.*list of/,
    );
  });

  test('may be empty, or hold nothing but comments', () => {
    for (const yaml of ['', '# nothing\n', '---\n', '{}\n'])
      assert.equal(givenByYaml(yaml, 'd').options.size, 0);
  });

  test('says its values as they are written', () => {
    const given = givenByYaml(
      'umask: 0222\nregion: no\nuid: 010\ninclude: &x ["*.py"]\nexclude: *x\n',
      'd',
    ).options;
    assert.equal(given.get('umask')?.text, '0222');
    assert.equal(given.get('region')?.text, 'no');
    assert.equal(given.get('uid')?.text, '010');
    assert.deepEqual(given.get('exclude')?.text, ['*.py']);
  });

  test('that cannot be read is refused with its name', async (t) => {
    const directory = await temporaryDirectory(t);
    const missing = join(directory, 'missing.yaml');
    assert.match(
      refusal(() => resolved(['--config', missing])),
      /^unreadable-file: .*missing\.yaml.*ENOENT/,
    );
    assert.match(
      refusal(() => resolved(['--config', directory])),
      /^unreadable-file: .*EISDIR/,
    );
    await writeFile(missing, 'region: x\n');
    assert.equal(resolved(['--config', missing]).values.region, 'x');
  });

  for (const [written, instead] of [
    ['standby: false', 'no-standby: true'],
    ['standby: yes', 'no-standby: false'],
    ['standby: ', 'no-standby: true or false'],
    ['sign-request: false', 'no-sign-request: true'],
    ['no-daemon: true', 'daemon: false'],
    ['no-allow-other: true', 'allow-other: false'],
  ] as const) {
    test(`that says ${written} is refused with what to write in its place`, () => {
      assert.match(
        refusal(() => givenByYaml(`${written}\n`, '/x.yaml')),
        new RegExp(`^unknown-key: /x\\.yaml, line 1, sets .*: write "${instead}" in its place`),
      );
    });
  }
});

test('an unquoted glob, which YAML takes for an alias, is told to be quoted', () => {
  for (const yaml of ['include:\n  - *.py\n', 'include: *x\n']) {
    const said = refusal(() => givenByYaml(yaml, '/etc/d.yaml'));
    assert.match(said, /^unparsable-file: .*include.*quotes/);
  }
});
