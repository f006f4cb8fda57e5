import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './repository.ts';

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string }[];
}

export interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: string }[] };
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
}

/** The dashboard that operators import into Grafana. */
export const dashboard = JSON.parse(
  readFileSync(join(repository, 'deploy/grafana/dagmount.json'), 'utf8'),
) as Dashboard;
