import type { IncomingHttpHeaders } from 'node:http';

/** Returns the value of a header; undefined if the header is missing, or repeated with values that differ. */
export function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value: string | readonly string[] | undefined = headers[name];
  if (value === undefined || typeof value === 'string') return value;
  const values = headerValues(headers, name);
  return values.every((value) => value === values[0]) ? values[0] : undefined;
}

/** Returns all values of a header. A repeated header has an array of them. */
export function headerValues(headers: IncomingHttpHeaders, name: string): readonly string[] {
  const value: string | readonly string[] | undefined = headers[name];
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}
