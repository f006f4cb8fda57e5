import { isAbsolute, resolve } from 'node:path';
import * as z from 'zod/mini';
import { parseDuration, parseSize } from './measures.ts';

/**
 * The unit of a number. The name of the option's field in the configuration ends with it: `readDeadlineMs`.
 */
export type Unit = '' | 'Ms' | 'Bytes';

/** How the value of an option is written, in every place where it can be given. */
export interface Kind<T, U extends Unit = Unit> {
  readonly unit: U;
  /** What help shows for the value; undefined for a switch, whose flag takes no value. */
  readonly placeholder: string | undefined;
  /** The rest of a hint that begins with "Allowed: ". */
  readonly allowed: string;
  /** The values that completion may offer. */
  readonly choices: readonly string[];
  readonly completes: 'nothing' | 'choices' | 'files' | 'directories';
  /**
   * Whether the value is a list: given by repeated flags, by a YAML list, or separated by commas in the
   * environment.
   */
  readonly isList: boolean;
  /** Converts the text to the value. */
  readonly schema: z.ZodMiniType<T>;
}

/** A number's bounds, both inclusive, as the user would write them. */
export interface Bounds {
  readonly min?: string;
  readonly max?: string;
}

const MAX_ID = 2 ** 32 - 2;

export function text(placeholder: string, allowed: string, pattern: RegExp): Kind<string, ''> {
  return plain({ placeholder, allowed, schema: z.string().check(z.regex(pattern)) });
}

export function toggle(): Kind<boolean, ''> {
  const schema = z.pipe(
    z.enum(['true', 'false']),
    z.transform((given) => given === 'true'),
  );
  return plain({ placeholder: undefined, allowed: 'true or false', schema, choices: ['true', 'false'] });
}

export function choice<const T extends string>(choices: readonly T[]): Kind<T, ''> {
  const allowed = `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
  return plain({ placeholder: choices.join('|'), allowed, schema: z.enum(choices), choices });
}

/** A duration; the value is in milliseconds. */
export function duration(bounds: Bounds): Kind<number, 'Ms'> {
  const schema = measured(parseDuration, bounds);
  const allowed = `a duration such as 250ms, 10s, 5m or 1h${within(bounds)}`;
  return { ...plain({ placeholder: 'DURATION', allowed, schema }), unit: 'Ms' };
}

/** A size; the value is in bytes. `words` has names for special values. */
export function size(bounds: Bounds, words: Readonly<Record<string, number>> = {}): Kind<number, 'Bytes'> {
  const names = Object.keys(words);
  const schema = z.union([
    z.pipe(
      z.string().check(z.refine((given) => Object.hasOwn(words, given))),
      z.transform((given) => words[given] as number),
    ),
    measured(parseSize, bounds),
  ]);
  const placeholder = ['SIZE', ...names].join('|');
  const allowed = `a size such as 4096, 64KiB, 2GiB or 10MB${within(bounds)}${names.map((name) => `, or ${name}`).join('')}`;
  return { ...plain({ placeholder, allowed, schema, choices: names }), unit: 'Bytes' };
}

/** A fraction, written `50%`. */
export function percent(): Kind<number, ''> {
  const schema = z.pipe(
    z.string().check(z.regex(/^\d+(\.\d+)?%$/)),
    z.pipe(
      z.transform((given: string) => Number(given.slice(0, -1)) / 100),
      z.number().check(z.lte(1)),
    ),
  );
  return plain({ placeholder: 'PERCENT', allowed: 'a percentage from 0% to 100%', schema });
}

export function integer(min: number, max: number): Kind<number, ''> {
  return plain({
    placeholder: 'NUMBER',
    allowed: `a whole number from ${min} to ${max}`,
    schema: whole(min, max),
  });
}

/** A user's or a group's number. */
export function owner(placeholder: string, command: string): Kind<number, ''> {
  const allowed = `a number from 0 to ${MAX_ID}, as ${command} prints it`;
  return plain({ placeholder, allowed, schema: whole(0, MAX_ID) });
}

/** Permission bits, written in octal. */
export function mode(): Kind<number, ''> {
  const schema = z.pipe(
    z.string().check(z.regex(/^(0o?)?[0-7]{1,3}$/)),
    z.transform((given: string) => Number.parseInt(given.replace('o', ''), 8)),
  );
  return plain({ placeholder: 'MODE', allowed: 'permission bits in octal, from 0 to 0777', schema });
}

/**
 * Permission bits of a socket, written in octal. The owner always has access; other users only if the bits grant it.
 */
export function socketMode(): Kind<number, ''> {
  const schema = z.pipe(
    z.string().check(z.regex(/^(0o?)?6[0-7]{2}$/)),
    z.transform((given: string) => Number.parseInt(given.replace('o', ''), 8)),
  );
  return plain({ placeholder: 'MODE', allowed: 'permission bits in octal, from 0600 to 0677', schema });
}

/** Where to listen: `HOST:PORT`, an IPv6 address in brackets. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

export function hostAndPort(): Kind<HostAndPort, ''> {
  const pattern = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/;
  const schema = z.pipe(
    z.string().check(z.regex(pattern)),
    z.pipe(
      z.transform((given: string): HostAndPort => {
        const [, six, other, port] = pattern.exec(given) ?? [];
        return { host: six ?? other ?? '', port: Number(port) };
      }),
      z.object({ host: z.string(), port: z.int().check(z.gte(0), z.lte(65_535)) }),
    ),
  );
  return plain({
    placeholder: 'HOST:PORT',
    allowed: 'an address such as 127.0.0.1:9100 or [::1]:9100',
    schema,
  });
}

/**
 * An absolute path. A relative path was completed before, to a directory that depends on the place where it
 * was given.
 */
export function path(placeholder: 'FILE' | 'DIRECTORY'): Kind<string, ''> {
  const schema = z.string().check(z.refine((given) => isAbsolute(given) && !given.includes('\0')));
  return {
    ...plain({ placeholder, allowed: 'a path', schema }),
    completes: placeholder === 'FILE' ? 'files' : 'directories',
  };
}

export function isPath(kind: Kind<unknown>): boolean {
  return kind.completes === 'files' || kind.completes === 'directories';
}

export function completePath(given: string, directory: string): string {
  // Keeps an empty path, so that it is rejected, and not taken for the directory.
  return given === '' ? given : resolve(directory, given);
}

/** The address of a store. The value has no slash at its end, so that one endpoint has one spelling. */
export function endpoint(): Kind<string, ''> {
  const schema = z.pipe(
    z.string().check(z.refine(isEndpoint)),
    z.transform((given: string) => new URL(given).href.replace(/\/+$/, '')),
  );
  const allowed = 'an http:// or https:// address without user, password, query or fragment';
  return plain({ placeholder: 'URL', allowed, schema });
}

/** `sqs:` and the address of a queue; the value is the address. */
export function queue(): Kind<string, ''> {
  const schema = z.pipe(
    z.string().check(z.refine((given) => given.startsWith('sqs:') && isEndpoint(given.slice('sqs:'.length)))),
    z.transform((given: string) => new URL(given.slice('sqs:'.length)).href),
  );
  return plain({
    placeholder: 'sqs:URL',
    allowed:
      'sqs: and the address of a queue, such as sqs:https://sqs.eu-central-1.amazonaws.com/111122223333/dags',
    schema,
  });
}

export function list(placeholder: string, allowed: string, pattern: RegExp): Kind<readonly string[], ''> {
  const schema = z.readonly(z.array(z.string().check(z.regex(pattern))));
  return { ...plain({ placeholder, allowed, schema }), isList: true };
}

function isEndpoint(given: string): boolean {
  if (!URL.canParse(given)) return false;
  const { protocol, username, password, search, hash } = new URL(given);
  return (protocol === 'http:' || protocol === 'https:') && username + password + search + hash === '';
}

function whole(min: number, max: number): z.ZodMiniType<number> {
  return z.pipe(
    z.string().check(z.regex(/^\d{1,15}$/)),
    z.pipe(z.transform(Number), z.number().check(z.gte(min), z.lte(max))),
  );
}

function measured(parse: (given: string) => number | undefined, { min, max }: Bounds): z.ZodMiniType<number> {
  const least = min === undefined ? 0 : (parse(min) as number);
  const most = max === undefined ? Number.MAX_SAFE_INTEGER : (parse(max) as number);
  return z.pipe(z.string(), z.pipe(z.transform(parse), z.number().check(z.gte(least), z.lte(most))));
}

function within({ min, max }: Bounds): string {
  if (min !== undefined && max !== undefined) return `, from ${min} to ${max}`;
  if (min !== undefined) return `, at least ${min}`;
  return max === undefined ? '' : `, at most ${max}`;
}

function plain<T>(
  kind: Pick<Kind<T>, 'placeholder' | 'allowed' | 'schema'> & { readonly choices?: readonly string[] },
): Kind<T, ''> {
  const choices = kind.choices ?? [];
  return {
    ...kind,
    unit: '',
    choices,
    completes: choices.length === 0 ? 'nothing' : 'choices',
    isList: false,
  };
}
