const OPEN_METRICS = 'application/openmetrics-text';

/** Whether an Accept header prefers OpenMetrics to Prometheus' own format. */
export function prefersOpenMetrics(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  let open = 0;
  let plain = 0;
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const given = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    const quality = given === undefined ? 1 : Number(given);
    if (type === OPEN_METRICS) open = Math.max(open, quality);
    else if (type === 'text/plain' || type === 'text/*') plain = Math.max(plain, quality);
  }
  return open > 0 && open >= plain;
}

/**
 * Converts Prometheus' text format to OpenMetrics. There, a family of counters has a name without `_total`,
 * and only the samples of the family have `_total`. OpenMetrics has no empty lines, and marks its end.
 */
export function asOpenMetrics(text: string): string {
  const counters = new Set(
    [...text.matchAll(/^# TYPE (\S+)_total counter$/gm)].map(([, name]) => `${name}_total`),
  );
  const lines = text.split('\n').filter((line) => line !== '');
  const changed = lines.map((line) => {
    const [hash, word, name = '', ...rest] = line.split(' ');
    if (hash !== '#' || !counters.has(name)) return line;
    return [hash, word, name.slice(0, -'_total'.length), ...rest].join(' ');
  });
  return `${changed.join('\n')}\n# EOF\n`;
}
