/**
 * Upper bounds of the buckets of all durations, in seconds: from what one request of the kernel takes to the
 * longest time limit of the store.
 */
export const DURATION_BOUNDS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** Observations made elsewhere: their sum, and their number between each two bounds, and past the last bound. */
export interface Observations {
  readonly sum: number;
  readonly buckets: readonly number[];
}

interface Sample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** A histogram for prom-client's registry, with numbers that are counted elsewhere. */
export class MirroredHistogram {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly #label: string;
  readonly #bounds: readonly number[];
  #observed: ReadonlyMap<string, Observations> = new Map();

  constructor(name: string, help: string, label: string, bounds: readonly number[]) {
    this.name = name;
    this.help = help;
    this.#label = label;
    this.#bounds = bounds;
  }

  /** Replaces the observations. `observed` has them by the value of the label. */
  set(observed: ReadonlyMap<string, Observations>): void {
    this.#observed = observed;
  }

  get(): { readonly name: string; readonly help: string; readonly type: string; readonly values: Sample[] } {
    const { name, help, type } = this;
    const values = [...this.#observed].flatMap(([value, observations]) => this.#samples(value, observations));
    return { name, help, type, values };
  }

  #samples(value: string, { sum, buckets }: Observations): Sample[] {
    const label = { [this.#label]: value };
    let count = 0;
    const cumulative = buckets.map((more, at) => {
      count += more;
      return {
        metricName: `${this.name}_bucket`,
        labels: { le: this.#bounds[at] ?? '+Inf', ...label },
        value: count,
      };
    });
    return [
      ...cumulative,
      { metricName: `${this.name}_sum`, labels: label, value: sum },
      { metricName: `${this.name}_count`, labels: label, value: count },
    ];
  }
}
