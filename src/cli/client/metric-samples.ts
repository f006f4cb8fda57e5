/** One value of a metric in a scrape. */
export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /**
   * The value. JSON would show an infinity or NaN as null, but these occur only in the bounds of buckets,
   * which are labels.
   */
  readonly value: number;
}

const LINE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: -?[\d.]+)?(?: # .*)?$/;
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', '"': '"', '\\': '\\' };

/** Parses the text format of Prometheus or OpenMetrics. Skips comments and lines that are not samples. */
export function metricSamples(text: string): readonly MetricSample[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = LINE.exec(line) ?? [];
    return name === undefined || value === undefined
      ? []
      : [{ name, labels: labelsOf(labels), value: numberOf(value) }];
  });
}

function labelsOf(text: string): Readonly<Record<string, string>> {
  const pairs = [...text.matchAll(LABEL)].map(
    ([, name = '', value = '']) =>
      [name, value.replace(/\\(.)/g, (_, character: string) => ESCAPES[character] ?? character)] as const,
  );
  return Object.fromEntries(pairs);
}

function numberOf(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
}
