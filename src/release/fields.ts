import type { JsonValue } from './canonical-json.ts';
import { ReleaseError } from './release-error.ts';

/** The longest text that is accepted, in UTF-16 units. The longest that a user writes is a message. */
const LONGEST_TEXT = 16_384;

/**
 * Reads the fields of one JSON object. Refuses missing fields, other types and unknown fields: a reader that
 * ignored an unknown field could show a release that the field forbids.
 */
export class Fields {
  readonly #what: string;
  readonly #object: { readonly [key: string]: JsonValue | undefined };
  readonly #known = new Set<string>();

  /** @param what the name of the object, for errors */
  constructor(value: JsonValue | undefined, what: string) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
      throw malformed(`${what} is no JSON object`);
    }
    this.#what = what;
    this.#object = value as { readonly [key: string]: JsonValue | undefined };
  }

  /** Returns a text. `rule` returns whether the value is allowed. */
  text(name: string, rule: (text: string) => boolean = () => true): string {
    const value = this.#take(name);
    if (typeof value !== 'string' || value.length > LONGEST_TEXT || !rule(value)) throw this.#wrong(name);
    return value;
  }

  optionalText(name: string, rule?: (text: string) => boolean): string | undefined {
    return this.#has(name) ? this.text(name, rule) : undefined;
  }

  /** Returns the bytes of a text in base64. Only the canonical form is allowed. */
  bytes(name: string, most: number): Uint8Array {
    const text = this.#take(name);
    if (typeof text !== 'string' || text.length > Math.ceil(most / 3) * 4) throw this.#wrong(name);
    const bytes = Buffer.from(text, 'base64');
    if (bytes.length > most || bytes.toString('base64') !== text) throw this.#wrong(name);
    return bytes;
  }

  integer(name: string, least: number, most: number): number {
    const value = this.#take(name);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > most) {
      throw this.#wrong(name);
    }
    return value;
  }

  optionalInteger(name: string, least: number, most: number): number | undefined {
    return this.#has(name) ? this.integer(name, least, most) : undefined;
  }

  boolean(name: string): boolean {
    const value = this.#take(name);
    if (typeof value !== 'boolean') throw this.#wrong(name);
    return value;
  }

  optionalBoolean(name: string): boolean | undefined {
    return this.#has(name) ? this.boolean(name) : undefined;
  }

  list(name: string, most: number): readonly JsonValue[] {
    const value = this.#take(name);
    if (!Array.isArray(value) || value.length > most) throw this.#wrong(name);
    return value as readonly JsonValue[];
  }

  object(name: string): Fields {
    return new Fields(this.#take(name), `${this.#what}: ${name}`);
  }

  optionalObject(name: string): Fields | undefined {
    return this.#has(name) ? this.object(name) : undefined;
  }

  /**
   * Returns an instant in milliseconds since the epoch. The text is in UTC, as `2026-01-31T08:00:00Z`, with
   * or without milliseconds.
   */
  instant(name: string): number {
    const text = this.text(name, (value) => INSTANT.test(value));
    const time = Date.parse(text);
    // Date.parse reads the 30th of February as the 1st or 2nd of March.
    if (Number.isNaN(time) || !new Date(time).toISOString().startsWith(text.slice(0, 19)))
      throw this.#wrong(name);
    return time;
  }

  optionalInstant(name: string): number | undefined {
    return this.#has(name) ? this.instant(name) : undefined;
  }

  /** Refuses unknown fields. Must be called after all fields were read. */
  end(): void {
    for (const name of Object.keys(this.#object)) {
      if (!this.#known.has(name)) {
        throw malformed(`${this.#what} has a field that this version does not know: ${name.slice(0, 40)}`);
      }
    }
  }

  #has(name: string): boolean {
    this.#known.add(name);
    return Object.hasOwn(this.#object, name);
  }

  #take(name: string): JsonValue | undefined {
    return this.#has(name) ? this.#object[name] : undefined;
  }

  #wrong(name: string): ReleaseError {
    return malformed(`${this.#what}: ${name} is missing or not what it should be`);
  }
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/;

function malformed(message: string): ReleaseError {
  return new ReleaseError(
    'malformed',
    message,
    'A newer dagmount may have written it: upgrade this one; else check which accounts can write below the release root.',
  );
}
