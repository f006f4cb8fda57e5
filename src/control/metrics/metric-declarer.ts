import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { DURATION_BOUNDS, MirroredHistogram } from './mirrored-histogram.ts';

/**
 * `stable`: name and labels stay as they are until the next major version. `values change`: name and labels stay, but
 * the values of the labels follow the internals of dagmount.
 */
export type MetricStability = 'stable' | 'values change';

export interface MetricDeclaration {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** A metric of a tree also has the label `tree` if the mount shows several. */
  readonly scope: 'tree' | 'mount';
  readonly stability: MetricStability;
}

export type Labels = Readonly<Record<string, string>>;

/** The label that distinguishes the trees of a mount that shows several. */
const TREE = 'tree';

/** Returns the labels of the tree with this path; '' if the tree is the whole mount. */
export function labelsOf(tree: string): Labels {
  return tree === '' ? {} : { [TREE]: tree };
}

/** Metrics whose label values name internals of dagmount. */
const VALUES_CHANGE: ReadonlySet<string> = new Set(['dagmount_publish_duration_seconds']);

/** Declares metrics, each of a tree or of the mount, and registers them in one registry. */
export class MetricDeclarer {
  readonly registry = new Registry();
  readonly #declarations: MetricDeclaration[] = [];
  /** Metrics that show only the last snapshot. */
  readonly #ofSnapshot: (Gauge | Counter)[] = [];

  /** The declared metrics, in the order of their declarations. */
  get declared(): readonly MetricDeclaration[] {
    return this.#declarations;
  }

  /** Removes the values of the last snapshot, because the next snapshot may lack some of their labels. */
  forgetSnapshot(): void {
    for (const metric of this.#ofSnapshot) metric.reset();
  }

  #declare(declared: Omit<MetricDeclaration, 'stability'>): void {
    const stability = VALUES_CHANGE.has(declared.name) ? 'values change' : 'stable';
    this.#declarations.push({ ...declared, stability });
  }

  /** Declares a gauge of a tree. It shows the value of the last snapshot. */
  gauge(name: string, help: string, labels: readonly string[] = []): Gauge {
    this.#declare({ name, type: 'gauge', help, labels, scope: 'tree' });
    const gauge = new Gauge({ name, help, labelNames: [...labels, TREE], registers: [this.registry] });
    this.#ofSnapshot.push(gauge);
    return gauge;
  }

  /** Declares a counter of a tree. It shows the value of the last snapshot. */
  counter(name: string, help: string): Counter {
    const counter = this.counted(name, help);
    this.#ofSnapshot.push(counter);
    return counter;
  }

  /** Declares a counter of a tree that this process increments itself, independent of snapshots. */
  counted(name: string, help: string, labels: readonly string[] = []): Counter {
    this.#declare({ name, type: 'counter', help, labels, scope: 'tree' });
    return new Counter({ name, help, labelNames: [...labels, TREE], registers: [this.registry] });
  }

  histogram(name: string, help: string, labels: readonly string[]): Histogram {
    this.#declare({ name, type: 'histogram', help, labels, scope: 'tree' });
    return new Histogram({
      name,
      help,
      labelNames: [...labels, TREE],
      buckets: [...DURATION_BOUNDS],
      registers: [this.registry],
    });
  }

  gaugeOfMount(name: string, help: string, labelNames: readonly string[] = []): Gauge {
    this.#declare({ name, type: 'gauge', help, labels: labelNames, scope: 'mount' });
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  counterOfMount(name: string, help: string, labelNames: readonly string[] = []): Counter {
    this.#declare({ name, type: 'counter', help, labels: labelNames, scope: 'mount' });
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  mirror(name: string, help: string, label: string): MirroredHistogram {
    this.#declare({ name, type: 'histogram', help, labels: [label], scope: 'mount' });
    const mirror = new MirroredHistogram(name, help, label, DURATION_BOUNDS);
    // A registry uses only `name`, `help`, `type` and `get` of a metric, whatever its class.
    this.registry.registerMetric(mirror as unknown as Histogram);
    return mirror;
  }
}
