import { createHash, randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { CredentialsOrigin } from '../../src/store/credentials-record.ts';
import { type Cleanup, defer, temporaryDirectory } from '../support/temporary.ts';

/** Credentials are valid somewhat longer than until the next rotation: the SDK asks for others five minutes before. */
const LIFE_MS = 25_000;

/** Issues credentials: those of the newest rotation, which are the only ones that the store accepts. */
export class Issuer {
  rotation = 0;
  /** Texts that must be seen nowhere. */
  readonly secrets: readonly string[] = ['secret-key', 'session', 'identity'].map(
    (what) => `${what}-${randomBytes(12).toString('hex')}`,
  );

  get secretKey(): string {
    return this.secrets[0]!;
  }

  get sessionToken(): string {
    return this.secrets[1]!;
  }

  /** The identity with which others are requested. It changes at each rotation. */
  get identity(): string {
    return `${this.secrets[2]}-${this.rotation}`;
  }

  get key(): string {
    return `KEY${this.rotation}`;
  }

  get expires(): string {
    return new Date(Date.now() + LIFE_MS).toISOString();
  }

  /** The credentials as a process, a container or an instance gives them. */
  get json(): Record<string, unknown> {
    return {
      Version: 1,
      Code: 'Success',
      AccessKeyId: this.key,
      SecretAccessKey: this.secretKey,
      SessionToken: this.sessionToken,
      Token: this.sessionToken,
      Expiration: this.expires,
    };
  }
}

type Answer = (request: IncomingMessage, body: string) => string | undefined;

/** A service of this host. It answers 404 where `answer` gives nothing. */
async function serve(t: Cleanup, answer: Answer): Promise<string> {
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

export interface Prepared {
  readonly env: Readonly<Record<string, string>>;
  /** Called at each rotation. */
  readonly rotated: () => void;
}

export interface Way {
  readonly origin: CredentialsOrigin;
  /** Whether the credentials say until when they are valid. */
  readonly expires: boolean;
  readonly profile?: string;
  /** Prepares this host. */
  readonly prepare: (t: Cleanup, issuer: Issuer) => Promise<Prepared>;
}

/** Replaces a file as Kubernetes and secret stores do: a reader gets the old file or the new one. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

/** A file with the identity of the newest rotation. */
function identityFile(
  directory: string,
  issuer: Issuer,
): { readonly file: string; readonly rotated: () => void } {
  const file = join(directory, 'token');
  const rotated = (): void => replace(file, issuer.identity);
  rotated();
  return { file, rotated };
}

/** A home directory and environment in which no other AWS setting of this host is found by chance. */
async function home(t: Cleanup): Promise<{ directory: string; env: Record<string, string> }> {
  const directory = await temporaryDirectory(t);
  const env = {
    HOME: directory,
    AWS_CONFIG_FILE: join(directory, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(directory, 'credentials'),
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  for (const file of [env.AWS_CONFIG_FILE, env.AWS_SHARED_CREDENTIALS_FILE]) await writeFile(file, '');
  return { directory, env };
}

/** Each way of the SDK's chain that replaces credentials while a process runs. */
export const ways: Readonly<Record<string, Way>> = {
  'keys in a file that is replaced': {
    origin: 'profile',
    expires: false,
    profile: 'team',
    prepare: async (t, issuer) => {
      const { env } = await home(t);
      const rotated = (): void =>
        replace(
          env.AWS_SHARED_CREDENTIALS_FILE!,
          `[team]\naws_access_key_id = ${issuer.key}\naws_secret_access_key = ${issuer.secretKey}\n`,
        );
      rotated();
      return { env, rotated };
    },
  },
  'a command': {
    origin: 'process',
    expires: true,
    profile: 'team',
    prepare: async (t, issuer) => {
      const { directory, env } = await home(t);
      const [given, command] = [join(directory, 'given.json'), join(directory, 'give')];
      const rotated = (): void => replace(given, JSON.stringify(issuer.json));
      rotated();
      await writeFile(command, `#!/bin/sh\ncat ${given}\n`);
      await chmod(command, 0o755);
      await writeFile(env.AWS_CONFIG_FILE!, `[profile team]\ncredential_process = ${command}\n`);
      return { env, rotated };
    },
  },
  'a web identity whose token file is replaced': {
    origin: 'web-identity',
    expires: true,
    prepare: async (t, issuer) => {
      const sts = await serve(t, (_, body) => {
        if (!body.includes(`WebIdentityToken=${issuer.identity}`)) return undefined;
        return `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
          <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>${issuer.key}</AccessKeyId>
          <SecretAccessKey>${issuer.secretKey}</SecretAccessKey><SessionToken>${issuer.sessionToken}</SessionToken>
          <Expiration>${issuer.expires}</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
          </AssumeRoleWithWebIdentityResponse>`;
      });
      const { directory, env } = await home(t);
      const { file, rotated } = identityFile(directory, issuer);
      return {
        env: {
          ...env,
          AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/reader',
          AWS_ENDPOINT_URL_STS: sts,
          AWS_WEB_IDENTITY_TOKEN_FILE: file,
        },
        rotated,
      };
    },
  },
  'a container whose token file is replaced': {
    origin: 'container',
    expires: true,
    prepare: async (t, issuer) => {
      const agent = await serve(t, ({ headers }) =>
        headers.authorization === issuer.identity ? JSON.stringify(issuer.json) : undefined,
      );
      const { directory, env } = await home(t);
      const { file, rotated } = identityFile(directory, issuer);
      return {
        env: {
          ...env,
          AWS_CONTAINER_CREDENTIALS_FULL_URI: `${agent}/v1/creds`,
          AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file,
        },
        rotated,
      };
    },
  },
  'a session of SSO': {
    origin: 'sso',
    expires: true,
    profile: 'team',
    prepare: async (t, issuer) => {
      const portal = await serve(t, ({ headers }) =>
        headers['x-amz-sso_bearer_token'] === issuer.identity
          ? JSON.stringify({
              roleCredentials: {
                accessKeyId: issuer.key,
                secretAccessKey: issuer.secretKey,
                sessionToken: issuer.sessionToken,
                expiration: Date.parse(issuer.expires),
              },
            })
          : undefined,
      );
      const { directory, env } = await home(t);
      const cache = join(directory, '.aws/sso/cache');
      await mkdir(cache, { recursive: true });
      const file = join(cache, `${createHash('sha1').update('mine').digest('hex')}.json`);
      // Writes the token as `aws sso login` does.
      const rotated = (): void => {
        const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
        const token = { accessToken: issuer.identity, expiresAt, region: 'us-east-1', startUrl: 'https://x' };
        replace(file, JSON.stringify(token));
      };
      rotated();
      await writeFile(
        env.AWS_CONFIG_FILE!,
        '[profile team]\nsso_session = mine\nsso_account_id = 123456789012\nsso_role_name = reader\n' +
          '[sso-session mine]\nsso_region = us-east-1\nsso_start_url = https://x\n',
      );
      return { env: { ...env, AWS_ENDPOINT_URL_SSO: portal }, rotated };
    },
  },
  'the metadata of the instance, version 2': {
    origin: 'instance',
    expires: true,
    prepare: async (t, issuer) => {
      const service = await serve(t, ({ method, url = '', headers }) => {
        if (method === 'PUT') return issuer.identity;
        // A session of the metadata service stays valid while credentials are replaced.
        if (!String(headers['x-aws-ec2-metadata-token']).startsWith(issuer.secrets[2]!)) return undefined;
        return url.endsWith('/security-credentials/') ? 'reader' : JSON.stringify(issuer.json);
      });
      const { env } = await home(t);
      return {
        env: {
          ...env,
          AWS_EC2_METADATA_DISABLED: 'false',
          AWS_EC2_METADATA_SERVICE_ENDPOINT: service,
        },
        rotated: () => undefined,
      };
    },
  },
};
