import type { IncomingHttpHeaders } from 'node:http';

/** The value of a header. One that came more than once counts where all its values agree, else as if it were missing. */
export function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const values = headerValues(headers, name);
  return values.every((value) => value === values[0]) ? values[0] : undefined;
}

/** All values of a header: undici gives an array where a header came more than once. */
export function headerValues(headers: IncomingHttpHeaders, name: string): readonly string[] {
  const value: string | readonly string[] | undefined = headers[name];
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}
