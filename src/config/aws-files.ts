import { isAbsolute, resolve } from 'node:path';
import type { HostEnvironment } from './host-environment.ts';

/** A value of a profile, and its location. */
export interface ProfileValue {
  readonly text: string;
  /** For example, `endpoint_url of profile team in /home/me/.aws/config`. */
  readonly place: string;
}

/** The settings of one profile in AWS's own files. */
export interface AwsProfile {
  readonly name: string;
  /**
   * Returns the value of a key, or undefined if neither file has it. A key may be nested:
   * `s3.addressing_style`.
   */
  value(key: string): ProfileValue | undefined;
  /**
   * Returns the services section that the profile names: `missing` if there is no such section, undefined if
   * the profile names none.
   */
  services(): { readonly name: string; value(key: string): ProfileValue | undefined } | 'missing' | undefined;
  readonly configFile: string;
}

type Section = ReadonlyMap<string, string>;
type Sections = ReadonlyMap<string, Section>;

/** Returns the profile in the variables of AWS. It is used if the options of dagmount name no profile. */
export function profileOfEnvironment(env: HostEnvironment['env']): string | undefined {
  return env.AWS_PROFILE || env.AWS_DEFAULT_PROFILE || undefined;
}

/**
 * Reads one profile as the SDK does: the config file has priority over the credentials file. The SDK itself
 * finds the credentials of the same profile. An unreadable file counts as empty.
 *
 * Does not use the SDK, because the SDK takes a quarter of a second to load, looks up endpoints only by
 * AWS_PROFILE, and cannot report a value's location. Tests compare the sections with the SDK's.
 */
export function readAwsProfile(name: string, environment: HostEnvironment): AwsProfile {
  const { env } = environment;
  const configFile = fileOf(env.AWS_CONFIG_FILE, 'config', environment);
  const credentialsFile = fileOf(env.AWS_SHARED_CREDENTIALS_FILE, 'credentials', environment);
  const [config, credentials] = [configFile, credentialsFile].map((file) =>
    sectionsOf(textOf(file, environment)),
  ) as [Sections, Sections];
  const own = config.get(`profile ${name}`) ?? (name === 'default' ? config.get('[default]') : undefined);
  const secret = credentials.get(`[${name}]`);
  const value = (key: string): ProfileValue | undefined => {
    const place = `${key.replace('.', ' ')} of profile ${name} in`;
    const text = own?.get(key);
    if (text !== undefined) return { text, place: `${place} ${configFile}` };
    const other = secret?.get(key);
    return other === undefined ? undefined : { text: other, place: `${place} ${credentialsFile}` };
  };
  return {
    name,
    value,
    configFile,
    services: () => {
      const services = value('services')?.text;
      if (services === undefined) return undefined;
      const section = config.get(`services ${services}`);
      if (section === undefined) return 'missing';
      return {
        name: services,
        value: (key) => {
          const text = section.get(key);
          const place = `${key.replace('.', ' ')} of services ${services} in ${configFile}`;
          return text === undefined ? undefined : { text, place };
        },
      };
    },
  };
}

function fileOf(
  named: string | undefined,
  name: string,
  { home = '~', workingDirectory }: HostEnvironment,
): string {
  const path = named || `~/.aws/${name}`;
  return path.startsWith('~/') ? `${home}${path.slice(1)}` : resolve(workingDirectory, path);
}

/**
 * Returns the text of a file, empty if the file cannot be read. Without a home directory the path of the file
 * is relative, and the text is empty, too.
 */
function textOf(file: string, { readText }: HostEnvironment): string {
  return isAbsolute(file) ? (readText(file) ?? '') : '';
}

const TITLE = /^([\w-]+)\s(["'])?([\w\-@+.%:/]+)\2$/;

/**
 * Parses the sections of an INI file. They are named `profile team` if the title has a kind and a name, and
 * `[team]` otherwise. A key that is nested below another key is named as in `s3.addressing_style`. Comments
 * begin with # or ; at the beginning of a line or after a blank.
 */
export function sectionsOf(text: string): Sections {
  const sections = new Map<string, Map<string, string>>();
  let section: Map<string, string> | undefined;
  let above: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    const trimmed = (line.split(/(?:^|\s)[;#]/)[0] ?? '').trim();
    if (trimmed.startsWith('[') && trimmed.endsWith(']')) {
      const title = titleOf(trimmed.slice(1, -1));
      section = sections.get(title) ?? new Map();
      sections.set(title, section);
      above = undefined;
      continue;
    }
    const at = trimmed.indexOf('=');
    if (section === undefined || at < 1) continue;
    const name = trimmed.slice(0, at).trim();
    const value = trimmed.slice(at + 1).trim();
    if (value === '') {
      above = name;
      continue;
    }
    if (line.trimStart() === line) above = undefined;
    section.set(above === undefined ? name : `${above}.${name}`, value);
  }
  return sections;
}

function titleOf(text: string): string {
  const [, kind, , name] = TITLE.exec(text) ?? [];
  return kind === undefined ? `[${text}]` : `${kind} ${name}`;
}
