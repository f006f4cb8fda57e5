import { ReleaseError } from '../release-error.ts';
import { matchesPatterns } from './patterns.ts';
import { readPublicKey, type SshPublicKey } from './public-key.ts';

/** One line of a file of allowed signers (ssh-keygen(1), ALLOWED SIGNERS). */
export interface AllowedSigner {
  /** The number of the line, from 1. */
  readonly line: number;
  /** Patterns of names, separated by commas, as the file has them. */
  readonly principals: string;
  /** Patterns of namespaces; undefined if the signer may sign in all namespaces. */
  readonly namespaces: string | undefined;
  /**
   * The first and the last instant at which the key may have signed, in milliseconds since the epoch.
   * Undefined if there is no such limit.
   */
  readonly validAfter: number | undefined;
  readonly validBefore: number | undefined;
  readonly key: SshPublicKey;
}

/** A larger file is refused: a file of a million lines would delay each poll. */
export const MOST_SIGNERS_BYTES = 1024 * 1024;

/**
 * Reads a file of allowed signers. One line that cannot be understood makes the whole file invalid: the line
 * may remove a right, and ignoring it would grant that right.
 *
 * @throws {ReleaseError} `bad-signers-file`, which names the line
 */
export function readAllowedSigners(text: string): readonly AllowedSigner[] {
  return text
    .split('\n')
    .map((line, at) => ({ text: line.trim(), line: at + 1 }))
    .filter((line) => line.text !== '' && !line.text.startsWith('#'))
    .map((line) => signerOf(line.text, line.line));
}

/**
 * Returns the line that allows a key to sign at this instant, in this namespace and under this name;
 * undefined if there is none.
 *
 * @param created milliseconds since the epoch
 */
export function findSigner(
  signers: readonly AllowedSigner[],
  { blob }: SshPublicKey,
  {
    principal,
    namespace,
    created,
  }: { readonly principal: string; readonly namespace: string; readonly created: number },
): AllowedSigner | undefined {
  return signers.find(
    (signer) =>
      signer.key.blob.equals(blob) &&
      matchesPatterns(principal, signer.principals) &&
      (signer.namespaces === undefined || matchesPatterns(namespace, signer.namespaces)) &&
      (signer.validAfter === undefined || created >= signer.validAfter) &&
      (signer.validBefore === undefined || created <= signer.validBefore),
  );
}

function signerOf(text: string, line: number): AllowedSigner {
  const [principals, ...rest] = wordsOf(text, line);
  if (principals === undefined || principals === '') throw wrong(line, 'it names no principals');
  // The key follows the principals directly, or after one word of options.
  const [options, type, key] = isKeyType(rest[0])
    ? ['', rest[0], rest[1]]
    : [rest[0] ?? '', rest[1], rest[2]];
  if (type === undefined || key === undefined) throw wrong(line, 'it has no key');
  const { namespaces, validAfter, validBefore } = optionsOf(options, line);
  if (validAfter !== undefined && validBefore !== undefined && validAfter >= validBefore) {
    throw wrong(line, 'valid-after is not before valid-before');
  }
  return { line, principals, namespaces, validAfter, validBefore, key: keyOf(type, key, line) };
}

function keyOf(type: string, text: string, line: number): SshPublicKey {
  const blob = Buffer.from(text, 'base64');
  if (blob.length === 0 || blob.toString('base64').replace(/=+$/, '') !== text.replace(/=+$/, '')) {
    throw wrong(line, 'its key is not base64');
  }
  try {
    const key = readPublicKey(blob);
    if (key.type === type) return key;
  } catch (error) {
    if (error instanceof ReleaseError) throw wrong(line, error.message);
    throw error;
  }
  throw wrong(line, `its key is not of type ${type}`);
}

/**
 * Returns whether a word is a type of key. True also for unsupported types, so that they are not taken for
 * options, and an error names them.
 */
function isKeyType(word: string | undefined): boolean {
  return word !== undefined && /^(sk-)?(ssh-|ecdsa-sha2-)[A-Za-z0-9@.-]+$/.test(word);
}

interface Options {
  namespaces?: string;
  validAfter?: number;
  validBefore?: number;
}

const OPTION = /^([a-z-]+)(?:="([^"]*)")?$/i;

function optionsOf(text: string, line: number): Options {
  const options: Options = {};
  if (text === '') return options;
  for (const part of splitOutsideQuotes(text, ',')) {
    const [, name, value] = OPTION.exec(part) ?? [];
    switch (name?.toLowerCase()) {
      case 'namespaces':
        if (value === undefined || value === '' || options.namespaces !== undefined)
          throw wrong(line, 'namespaces needs one value');
        options.namespaces = value;
        break;
      case 'valid-after':
        options.validAfter = instantOf(value, line, name!);
        break;
      case 'valid-before':
        options.validBefore = instantOf(value, line, name!);
        break;
      case 'cert-authority':
        throw wrong(line, 'certificates are not supported (cert-authority); name the key itself');
      default:
        throw wrong(line, `its option ${part.slice(0, 40)} is not known`);
    }
  }
  return options;
}

const STAMP = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(Z?)$/i;

/**
 * Parses a date as `20260131`, `202601311200` or `20260131120000`: in UTC if a `Z` follows, otherwise in the
 * time zone of this host. Returns milliseconds since the epoch.
 */
function instantOf(text: string | undefined, line: number, option: string): number {
  const match = STAMP.exec(text ?? '');
  if (match === null)
    throw wrong(line, `${option} is no date as YYYYMMDD or YYYYMMDDHHMM[SS], with or without Z`);
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const date =
    match[7] === ''
      ? new Date(year, month - 1, day, hour, minute, second)
      : new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const dayFound = match[7] === '' ? date.getDate() : date.getUTCDate();
  if (dayFound !== day || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) {
    throw wrong(line, `${option} is no date that exists`);
  }
  return date.getTime();
}

/** Returns the words of a line. Quotes keep a word together; quotes around a whole word are removed. */
function wordsOf(text: string, line: number): readonly string[] {
  if ((text.match(/"/g)?.length ?? 0) % 2 === 1) throw wrong(line, 'a quote does not end');
  return splitOutsideQuotes(text.replace(/\t/g, ' '), ' ')
    .filter((word) => word !== '')
    .map((word) => (/^"[^"]*"$/.test(word) ? word.slice(1, -1) : word));
}

function splitOutsideQuotes(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') quoted = !quoted;
    if (text[at] !== separator || quoted) continue;
    parts.push(text.slice(start, at));
    start = at + 1;
  }
  parts.push(text.slice(start));
  return parts;
}

function wrong(line: number, reason: string): ReleaseError {
  return new ReleaseError(
    'bad-signers-file',
    `line ${line} of the allowed signers: ${reason}`,
    'Each line is: principals, options (namespaces, valid-after, valid-before) if any, type of key, key; see ssh-keygen(1).',
  );
}
