import type { IncomingHttpHeaders } from 'node:http';

/** The value of a header. A repeated header counts if all of its values agree; otherwise it counts as missing. */
export function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value: string | readonly string[] | undefined = headers[name];
  if (value === undefined || typeof value === 'string') return value;
  const values = headerValues(headers, name);
  return values.every((value) => value === values[0]) ? values[0] : undefined;
}

/** All values of a header: a repeated header has an array. */
export function headerValues(headers: IncomingHttpHeaders, name: string): readonly string[] {
  const value: string | readonly string[] | undefined = headers[name];
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}
