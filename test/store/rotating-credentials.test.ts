import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { CredentialsOrigin } from '../../src/store/credentials-record.ts';
import { defer } from '../support/temporary.ts';
import { FakeStore, type SeenRequest } from './fake-store.ts';
import { openStore, patience, read } from './open-store.ts';
import { inEnvironment, resolve } from './resolving.ts';

/** Of which there are so many, one after another. */
const ROTATIONS = 4;
/** What credentials are valid for: the SDK asks for others five minutes before. */
const LIFE_MS = 20_000;

/** What hands out credentials: those of the newest rotation, which the store takes and no others. */
class Issuer {
  rotation = 0;
  asked = 0;

  get key(): string {
    return `KEY${this.rotation}`;
  }

  get expires(): string {
    return new Date(Date.now() + LIFE_MS).toISOString();
  }

  /** As process, container and instance give them. */
  get json(): Record<string, unknown> {
    return {
      Version: 1,
      Code: 'Success',
      AccessKeyId: this.key,
      SecretAccessKey: 'hush',
      SessionToken: 'token',
      Token: 'token',
      Expiration: this.expires,
    };
  }
}

type Answer = (request: IncomingMessage, body: string) => string | undefined;

/** A service of this host; what it does not answer is 404. */
async function serve(t: TestContext, answer: Answer): Promise<string> {
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    for await (const bytes of request) body += bytes;
    const text = answer(request, body);
    response.setHeader('x-aws-ec2-metadata-token-ttl-seconds', '21600');
    response.writeHead(text === undefined ? 404 : 200).end(text);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  defer(t, () => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Way {
  readonly origin: CredentialsOrigin;
  /** Whether they say until when they are valid. */
  readonly expires: boolean;
  readonly profile?: string;
  /** Prepares this host; resolves with what is done at each rotation. */
  readonly set: (t: TestContext, issuer: Issuer) => Promise<() => void>;
}

/** As Kubernetes and secret stores do it: a reader gets the old file or the new one. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

const nothing = (): void => undefined;

const ways: Readonly<Record<string, Way>> = {
  'keys in a file that is replaced': {
    origin: 'profile',
    expires: false,
    profile: 'team',
    set: async (t, issuer) => {
      const directory = await inEnvironment(t, {});
      const write = (): void =>
        replace(
          join(directory, 'credentials'),
          `[team]\naws_access_key_id = ${issuer.key}\naws_secret_access_key = hush\n`,
        );
      write();
      return write;
    },
  },
  'a command': {
    origin: 'process',
    expires: true,
    profile: 'team',
    set: async (t, issuer) => {
      const directory = await inEnvironment(t, {});
      const [given, command] = [join(directory, 'given.json'), join(directory, 'give')];
      const write = (): void => replace(given, JSON.stringify(issuer.json));
      write();
      await writeFile(command, `#!/bin/sh\ncat ${given}\n`);
      await chmod(command, 0o755);
      await writeFile(join(directory, 'config'), `[profile team]\ncredential_process = ${command}\n`);
      return write;
    },
  },
  'a web identity whose token file is replaced': {
    origin: 'web-identity',
    expires: true,
    set: async (t, issuer) => {
      const sts = await serve(t, (_, body) => {
        issuer.asked += 1;
        if (!body.includes(`WebIdentityToken=token${issuer.rotation}`)) return undefined;
        return `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
          <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>${issuer.key}</AccessKeyId>
          <SecretAccessKey>hush</SecretAccessKey><SessionToken>token</SessionToken>
          <Expiration>${issuer.expires}</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
          </AssumeRoleWithWebIdentityResponse>`;
      });
      const directory = await inEnvironment(t, {
        AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/reader',
        AWS_ENDPOINT_URL_STS: sts,
      });
      const file = join(directory, 'token');
      process.env.AWS_WEB_IDENTITY_TOKEN_FILE = file;
      const write = (): void => replace(file, `token${issuer.rotation}`);
      write();
      return write;
    },
  },
  'a container whose token file is replaced': {
    origin: 'container',
    expires: true,
    set: async (t, issuer) => {
      const agent = await serve(t, ({ headers }) =>
        headers.authorization === `token${issuer.rotation}` ? JSON.stringify(issuer.json) : undefined,
      );
      const directory = await inEnvironment(t, { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${agent}/v1/creds` });
      const file = join(directory, 'token');
      process.env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE = file;
      const write = (): void => replace(file, `token${issuer.rotation}`);
      write();
      return write;
    },
  },
  'a session of SSO': {
    origin: 'sso',
    expires: true,
    profile: 'team',
    set: async (t, issuer) => {
      const portal = await serve(t, () =>
        JSON.stringify({
          roleCredentials: {
            accessKeyId: issuer.key,
            secretAccessKey: 'hush',
            sessionToken: 'token',
            expiration: Date.parse(issuer.expires),
          },
        }),
      );
      const directory = await inEnvironment(t, { AWS_ENDPOINT_URL_SSO: portal });
      const cache = join(directory, '.aws/sso/cache');
      await mkdir(cache, { recursive: true });
      const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
      await writeFile(
        join(cache, `${createHash('sha1').update('mine').digest('hex')}.json`),
        JSON.stringify({ accessToken: 'a', expiresAt, region: 'us-east-1', startUrl: 'https://x' }),
      );
      await writeFile(
        join(directory, 'config'),
        '[profile team]\nsso_session = mine\nsso_account_id = 123456789012\nsso_role_name = reader\n' +
          '[sso-session mine]\nsso_region = us-east-1\nsso_start_url = https://x\n',
      );
      return nothing;
    },
  },
  'the metadata of the instance, version 2': {
    origin: 'instance',
    expires: true,
    set: async (t, issuer) => {
      const service = await serve(t, ({ method, url = '', headers }) => {
        if (method === 'PUT') return 'session';
        if (headers['x-aws-ec2-metadata-token'] !== 'session') return undefined;
        return url.endsWith('/security-credentials/') ? 'reader' : JSON.stringify(issuer.json);
      });
      await inEnvironment(t, {
        AWS_EC2_METADATA_DISABLED: 'false',
        AWS_EC2_METADATA_SERVICE_ENDPOINT: service,
      });
      return nothing;
    },
  },
};

const row = (key: string): string =>
  `<Contents><Key>dags/${key}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>"e1"</ETag><Size>5</Size></Contents>`;

describe('credentials that are replaced', () => {
  for (const [what, way] of Object.entries(ways)) {
    test(`fail no listing and no body, and status says which and until when: ${what}`, async (t) => {
      const issuer = new Issuer();
      const rotated = await way.set(t, issuer);
      /** Rotates before this request of the store is answered. */
      let rotateAt = Number.POSITIVE_INFINITY;
      const refused: string[] = [];
      const answering = (request: SeenRequest, index: number) => {
        if (index >= rotateAt) {
          rotateAt = Number.POSITIVE_INFINITY;
          issuer.rotation += 1;
          rotated();
        }
        if (!(request.headers.authorization ?? '').includes(`Credential=${issuer.key}/`)) {
          refused.push(request.url);
          return { status: 400, body: '<Error><Code>ExpiredToken</Code><Message>expired</Message></Error>' };
        }
        if (request.query.get('list-type') === null) {
          return { status: 200, headers: { etag: '"e1"' }, body: 'bytes' };
        }
        const isSecond = request.query.has('continuation-token');
        const rest = isSecond
          ? '<IsTruncated>false</IsTruncated>'
          : '<IsTruncated>true</IsTruncated><NextContinuationToken>next</NextContinuationToken>';
        return {
          status: 200,
          body: `<ListBucketResult>${rest}${row(isSecond ? 'b.py' : 'a.py')}</ListBucketResult>`,
        };
      };
      const fake = await FakeStore.start(t, answering);
      const { credentials, found } = await resolve(
        t,
        's3://bucket',
        way.profile === undefined ? {} : { profile: way.profile },
      );
      const { store } = openStore(t, fake.origin, { credentials, now: () => (clock += 6_000) });
      let clock = 0;
      for (let round = 0; round < ROTATIONS; round += 1) {
        const before = fake.requests.length;
        // Between two pages of a listing, and before a body.
        rotateAt = round % 2 === 0 ? before + 1 : before + 2;
        const listed = await store.list({ signal: patience() });
        assert.equal(listed.count, 2);
        const { body } = await store.get('a.py', { signal: patience(), ifMatch: 'e1' });
        assert.equal((await read(body)).toString(), 'bytes');
        assert.equal(issuer.rotation, round + 1);
      }
      assert.ok(refused.length >= 1, 'credentials were replaced in the midst of it');
      const last = found.last;
      assert.equal(last?.origin, way.origin);
      assert.equal(last?.expiresAt !== undefined, way.expires);
      assert.deepEqual(Object.keys(last ?? {}).sort(), ['expiresAt', 'origin'], 'nothing of a secret');
    });
  }
});
