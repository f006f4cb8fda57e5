import { getSSOTokenFromFile, loadSharedConfigFiles } from '@smithy/core/config';

type Environment = Readonly<Record<string, string | undefined>>;
type Section = Readonly<Record<string, string | undefined>>;

/** The credentials provider that this host has configured, in the order of the SDK's chain. */
export type ConfiguredProvider =
  /** Neither AWS file has the named profile. */
  | { readonly kind: 'missing-profile'; readonly profile: string }
  | { readonly kind: 'process'; readonly profile: string }
  | { readonly kind: 'sso'; readonly profile: string; readonly signedIn: boolean }
  /** Keys, a role, a web identity: everything else that a profile may configure. */
  | { readonly kind: 'profile'; readonly profile: string }
  | { readonly kind: 'web-identity'; readonly file: string }
  /** The environment has only one of the two variables that a web identity needs. */
  | { readonly kind: 'half-web-identity'; readonly set: string; readonly missing: string }
  /** `host` has no path, because the path may be a secret that grants the credentials. */
  | { readonly kind: 'container'; readonly host: string }
  /** Nothing is configured: only the instance metadata service remains. */
  | { readonly kind: 'instance' };

const IN_PROFILE = [
  'aws_access_key_id',
  'role_arn',
  'credential_source',
  'web_identity_token_file',
  'login_session',
] as const;
const OF_SSO = ['sso_session', 'sso_start_url', 'sso_account_id', 'sso_role_name'] as const;
/** The maximum number of profiles in a row that take their keys from another profile (source_profile). */
const MOST_SOURCES = 8;
const ECS_HOST = '169.254.170.2';

/**
 * Returns the credentials provider that this host has configured. The result tells where credentials came
 * from. It also explains a failure: the error of the SDK's chain is that of its last provider, mostly the
 * instance metadata service, whatever was configured.
 *
 * @param named the profile that --profile, AWS_PROFILE or AWS_DEFAULT_PROFILE names
 */
export async function configuredProvider(
  named: string | undefined,
  environment: Environment,
): Promise<ConfiguredProvider> {
  const profile = named ?? 'default';
  const sections = await readSections();
  const section = sections(profile);
  if (section === undefined && named !== undefined) return { kind: 'missing-profile', profile };
  const inProfile = await providerOfProfile(profile, sections, environment);
  if (inProfile !== undefined) return inProfile;
  const { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: role } = environment;
  if (file && role) return { kind: 'web-identity', file };
  if (isContainer(environment)) return { kind: 'container', host: containerHost(environment) };
  if (file) return { kind: 'half-web-identity', set: 'AWS_WEB_IDENTITY_TOKEN_FILE', missing: 'AWS_ROLE_ARN' };
  return { kind: 'instance' };
}

/** Whether one of the two AWS files has the profile. */
export async function hasProfile(profile: string): Promise<boolean> {
  return (await readSections())(profile) !== undefined;
}

/** Parses the AWS files as the SDK does, but without its cache, because the files may have been corrected. */
async function readSections(): Promise<(profile: string) => Section | undefined> {
  const { configFile, credentialsFile } = await loadSharedConfigFiles({ ignoreCache: true });
  return (profile) => {
    const found = [credentialsFile[profile], configFile[profile]].filter((each) => each !== undefined);
    return found.length === 0 ? undefined : Object.assign({}, ...found);
  };
}

async function providerOfProfile(
  profile: string,
  sections: (profile: string) => Section | undefined,
  environment: Environment,
): Promise<ConfiguredProvider | undefined> {
  let name = profile;
  for (let depth = 0; depth < MOST_SOURCES; depth += 1) {
    const section = sections(name) ?? {};
    if (section.credential_process !== undefined) return { kind: 'process', profile: name };
    if (section.credential_source === 'EcsContainer') {
      return { kind: 'container', host: containerHost(environment) };
    }
    if (OF_SSO.some((key) => section[key] !== undefined)) {
      const session = section.sso_session ?? section.sso_start_url ?? '';
      return { kind: 'sso', profile: name, signedIn: await isSignedIn(session) };
    }
    const source = section.source_profile;
    if (source === undefined || source === name) {
      return IN_PROFILE.some((key) => section[key] !== undefined) ? { kind: 'profile', profile } : undefined;
    }
    name = source;
    if (sections(name) === undefined) return { kind: 'profile', profile };
  }
  return { kind: 'profile', profile };
}

async function isSignedIn(session: string): Promise<boolean> {
  try {
    const { expiresAt } = await getSSOTokenFromFile(session);
    return Date.parse(expiresAt) > Date.now();
  } catch {
    // The file is missing, or holds no token.
    return false;
  }
}

function isContainer(environment: Environment): boolean {
  return Boolean(
    environment.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI || environment.AWS_CONTAINER_CREDENTIALS_FULL_URI,
  );
}

function containerHost(environment: Environment): string {
  const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: relative, AWS_CONTAINER_CREDENTIALS_FULL_URI: full = '' } =
    environment;
  if (relative) return ECS_HOST;
  return URL.canParse(full) ? new URL(full).host : '';
}
