import { corrupt, endsEarly, quoted, quotedKey } from './errors.ts';
import { KeyDecoder } from './key.ts';
import type { XmlReader } from './xml.ts';

/**
 * The maximum number of bytes of a continuation token. S3's tokens have some 100 bytes; a token made from the
 * last key has at most some 6 KiB. The token is sent back in a URL, which servers limit to some 8 KiB by
 * default.
 */
const MAX_TOKEN_BYTES = 16 * 1024;

const IS_TRUNCATED = Buffer.from('IsTruncated');
const NEXT_CONTINUATION_TOKEN = Buffer.from('NextContinuationToken');
const ENCODING_TYPE = Buffer.from('EncodingType');
const KEY_COUNT = Buffer.from('KeyCount');
const PREFIX = Buffer.from('Prefix');
const COMMON_PREFIXES = Buffer.from('CommonPrefixes');

const NO_PREFIX = new Uint8Array(0);

/**
 * The fields of a ListObjectsV2 answer besides its objects. Fields that decide whether keys are missing must
 * be clear, so a field with two values is refused. KeyCount decides only about empty pages and empty
 * elements, because stores count their keys differently. Fields not named here are ignored.
 */
export class PageFields {
  readonly #xml: XmlReader;
  readonly #prefix: Uint8Array;
  #truncated: string | undefined;
  #token: string | undefined;
  #encodingType: string | undefined;
  #keyCount: string | undefined;

  constructor(xml: XmlReader, prefix: Uint8Array) {
    this.#xml = xml;
    this.#prefix = prefix;
  }

  /** Reads an element that is not an object's, after its opening or empty tag, to the end of the element. */
  read(tag: 'open' | 'empty'): void {
    const xml = this.#xml;
    if (xml.isNamed(IS_TRUNCATED)) this.#truncated = this.#once('IsTruncated', this.#truncated, tag);
    else if (xml.isNamed(NEXT_CONTINUATION_TOKEN)) this.#readToken(tag);
    else if (xml.isNamed(ENCODING_TYPE))
      this.#encodingType = this.#once('EncodingType', this.#encodingType, tag);
    else if (xml.isNamed(KEY_COUNT)) this.#keyCount = tag === 'open' ? xml.readString() : undefined;
    else if (xml.isNamed(PREFIX)) this.#checkPrefix(tag);
    else if (xml.isNamed(COMMON_PREFIXES)) this.#refuseFoldedKeys(tag);
    else if (tag === 'open') xml.skipElement();
  }

  /** Whether more pages follow; undefined: the store does not say. */
  get truncated(): boolean | undefined {
    const said = this.#truncated?.trim().toLowerCase() ?? '';
    if (said === 'true' || said === '1') return true;
    if (said === 'false' || said === '0') return false;
    if (said !== '')
      throw corrupt(`the listing's IsTruncated is neither true nor false, but ${quoted(said)}`);
    return this.token === undefined ? undefined : true;
  }

  /** The continuation token of the next page; undefined if the store sent none. */
  get token(): string | undefined {
    return this.#token === '' ? undefined : this.#token;
  }

  /** Whether the store says that it encoded the keys as asked. */
  get encoded(): boolean {
    return this.#encodingType?.trim().toLowerCase() === 'url';
  }

  /** Whether the store says that the page holds exactly this many objects. */
  counts(rows: number): boolean {
    return this.#keyCount !== undefined && Number(this.#keyCount.trim() || Number.NaN) === rows;
  }

  #readToken(tag: 'open' | 'empty'): void {
    const xml = this.#xml;
    if (tag === 'open') {
      xml.readText();
      const length = xml.textEnd - xml.textStart;
      if (length > MAX_TOKEN_BYTES)
        throw corrupt(`the continuation token has ${length} bytes; the limit is ${MAX_TOKEN_BYTES}`);
    }
    this.#token = this.#agreed('NextContinuationToken', this.#token, tag === 'open' ? xml.textString() : '');
  }

  /**
   * Refuses a listing for another prefix. The prefix may be encoded or not, because SeaweedFS sends it
   * unencoded even if it encodes the keys.
   */
  #checkPrefix(tag: 'open' | 'empty'): void {
    const xml = this.#xml;
    if (tag === 'open') xml.readText();
    const sent = tag === 'open' ? xml.text.subarray(xml.textStart, xml.textEnd) : NO_PREFIX;
    const decoded = new Uint8Array(sent.length);
    const end = new KeyDecoder(NO_PREFIX, 'url').decode(sent, 0, sent.length, decoded, 0);
    const is = (bytes: Uint8Array) => Buffer.compare(bytes, this.#prefix) === 0;
    if (is(sent) || is(decoded.subarray(0, end))) return;
    throw corrupt(`the listing is for the prefix ${quotedKey(sent)}, not for ${quotedKey(this.#prefix)}`);
  }

  /**
   * Refuses keys that are grouped into a common prefix. Accepts an empty element, or an empty prefix, which
   * some stores send when there are no common prefixes.
   */
  #refuseFoldedKeys(tag: 'open' | 'empty'): void {
    const xml = this.#xml;
    if (tag === 'empty') return;
    for (let inner = xml.next(); inner !== 'close'; inner = xml.next()) {
      if (inner === 'end') throw endsEarly();
      if (inner === 'empty') continue;
      if (!xml.isNamed(PREFIX)) xml.skipElement();
      else if (xml.readString() !== '') {
        throw corrupt(
          `the listing groups keys into a common prefix, which was not requested: ${quoted(xml.textString())}`,
        );
      }
    }
    if (!xml.isNamed(COMMON_PREFIXES)) throw corrupt('the listing holds tags that do not match');
  }

  #once(field: string, before: string | undefined, tag: 'open' | 'empty'): string {
    return this.#agreed(field, before, tag === 'open' ? this.#xml.readString() : '');
  }

  #agreed(field: string, before: string | undefined, now: string): string {
    if (before === undefined || before === now) return now;
    throw corrupt(`the listing has two values for ${field}: ${quoted(before)} and ${quoted(now)}`);
  }
}
