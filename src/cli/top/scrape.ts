import { type MetricSample, metricSamples } from '../client/metric-samples.ts';

/** The metrics of one scrape, by name. */
export class Scrape {
  /** When the scrape was made, in milliseconds of a monotonic clock. */
  readonly at: number;
  readonly #byName: ReadonlyMap<string, readonly MetricSample[]>;

  /** @param text in Prometheus' text format */
  constructor(text: string, at: number) {
    this.at = at;
    const byName = new Map<string, MetricSample[]>();
    for (const sample of metricSamples(text)) {
      const known = byName.get(sample.name);
      if (known === undefined) byName.set(sample.name, [sample]);
      else known.push(sample);
    }
    this.#byName = byName;
  }

  /**
   * Returns the value of a metric; if the mount shows several trees, the sum over the trees. Returns
   * undefined if the scrape does not have the metric.
   */
  value(name: string): number | undefined {
    const ofMount = this.samples(name).filter(({ labels }) =>
      Object.keys(labels).every((label) => label === 'tree'),
    );
    return ofMount.length === 0 ? undefined : ofMount.reduce((sum, { value }) => sum + value, 0);
  }

  samples(name: string): readonly MetricSample[] {
    return this.#byName.get(name) ?? [];
  }

  /** Returns a counter's sum for each value of a label, over all other labels. */
  byLabel(name: string, label: string): ReadonlyMap<string, number> {
    const sums = new Map<string, number>();
    for (const { labels, value } of this.samples(name)) {
      const key = labels[label];
      if (key !== undefined) sums.set(key, (sums.get(key) ?? 0) + value);
    }
    return sums;
  }
}
