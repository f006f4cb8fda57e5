import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { DURATION_BOUNDS, MirroredHistogram } from './mirrored-histogram.ts';

/**
 * Whether name and labels stay as they are until the next major version. `values change`: name and labels stay, the
 * values of the labels follow how dagmount is built.
 */
export type MetricStability = 'stable' | 'values change';

export interface MetricDeclaration {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Of a tree: where a mount shows several, it has the label `tree`, too. */
  readonly scope: 'tree' | 'mount';
  readonly stability: MetricStability;
}

export type Labels = Readonly<Record<string, string>>;

/** The label by which the trees of a mount differ that shows several. */
const TREE = 'tree';

/** Of a tree, by its path; '' if it is the whole mount. */
export function labelsOf(tree: string): Labels {
  return tree === '' ? {} : { [TREE]: tree };
}

/** Metrics whose labels have values of dagmount's own inner workings. */
const VALUES_CHANGE: ReadonlySet<string> = new Set(['dagmount_publish_duration_seconds']);

/** Declares metrics, each of a tree or of the mount, and has them in one registry. */
export class MetricDeclarer {
  readonly registry = new Registry();
  readonly #declarations: MetricDeclaration[] = [];
  /** Those that show nothing but the last snapshot. */
  readonly #ofSnapshot: (Gauge | Counter)[] = [];

  /** In the order of their declarations. */
  get declared(): readonly MetricDeclaration[] {
    return this.#declarations;
  }

  /** Removes what the last snapshot had: a label of it may be gone. */
  forgetSnapshot(): void {
    for (const metric of this.#ofSnapshot) metric.reset();
  }

  #declare(declared: Omit<MetricDeclaration, 'stability'>): void {
    const stability = VALUES_CHANGE.has(declared.name) ? 'values change' : 'stable';
    this.#declarations.push({ ...declared, stability });
  }

  /** Of a tree, as the last snapshot had it. */
  gauge(name: string, help: string, labels: readonly string[] = []): Gauge {
    this.#declare({ name, type: 'gauge', help, labels, scope: 'tree' });
    const gauge = new Gauge({ name, help, labelNames: [...labels, TREE], registers: [this.registry] });
    this.#ofSnapshot.push(gauge);
    return gauge;
  }

  /** Of a tree, as the last snapshot had it. */
  counter(name: string, help: string): Counter {
    const counter = this.counted(name, help);
    this.#ofSnapshot.push(counter);
    return counter;
  }

  /** Of a tree, and counted here. */
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
    // What a registry asks of a metric is `name`, `help`, `type` and `get`, of whatever class it is.
    this.registry.registerMetric(mirror as unknown as Histogram);
    return mirror;
  }
}
