/** Metrics in Prometheus' text format, and labels that all their samples get. */
export interface MetricsSource {
  readonly labels: Readonly<Record<string, string>>;
  readonly text: string;
}

interface Family {
  /** The lines HELP and TYPE. */
  readonly comments: string[];
  readonly samples: string[];
}

/**
 * Matches a sample: name, labels in braces if it has any, value. The value of a label may have any character,
 * also a brace or a blank.
 */
const SAMPLE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? ([^{} ]+(?: \d+)?)$/;
const COMMENT = /^# (?:HELP|TYPE) (\S+) /;

/** Returns the samples of several sources as one text, with each family once, as Prometheus requires. */
export function joinedMetrics(sources: readonly MetricsSource[]): string {
  const families = new Map<string, Family>();
  for (const { labels, text } of sources) {
    const added = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
    let family: Family | undefined;
    const own = new Set<Family>();
    for (const line of text.split('\n')) {
      const commented = COMMENT.exec(line)?.[1];
      if (commented !== undefined) {
        family = families.get(commented);
        if (family === undefined) {
          family = { comments: [], samples: [] };
          families.set(commented, family);
          own.add(family);
        }
        if (own.has(family)) family.comments.push(line);
        continue;
      }
      const [, name, inside = '', value] = SAMPLE.exec(line) ?? [];
      if (name === undefined) continue;
      const all = [...added, ...(inside === '' ? [] : [inside])].join(',');
      family?.samples.push(`${name}${all === '' ? '' : `{${all}}`} ${value}`);
    }
  }
  const lines = [...families.values()].flatMap(({ comments, samples }) => [...comments, ...samples]);
  return `${lines.join('\n')}\n`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
