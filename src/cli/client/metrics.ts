import { printableLines } from '../../base/printable.ts';
import { clientCommand } from './client-command.ts';
import { type MetricSample, metricSamples } from './metric-samples.ts';

interface Exposed {
  readonly samples: readonly MetricSample[];
}

/** The metrics of a daemon: the samples, which --json prints, and the text, which JSON leaves out. */
class Scrape implements Exposed {
  readonly samples: readonly MetricSample[];
  readonly #text: string;

  constructor(text: string) {
    this.samples = metricSamples(text);
    this.#text = text;
  }

  text(): string {
    const shown = printableLines(this.#text);
    return shown.endsWith('\n') ? shown : `${shown}\n`;
  }
}

export const run = clientCommand<Scrape>({
  name: 'metrics',
  ask: async (client) => new Scrape(await client.text('/metrics')),
  show: (scrape) => scrape.text(),
});
