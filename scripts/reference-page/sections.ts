import { type LogEvent, logEvents } from '../../src/base/log-events.ts';
import { commands } from '../../src/cli/commands.ts';
import { type ErrorMeaning, errorGroups } from '../../src/cli/error-codes.ts';
import { exitCodeMeanings } from '../../src/cli/exit-codes.ts';
import { flagHelp, PRECEDENCE } from '../../src/cli/options-help.ts';
import { negationOf, optionNames, optionOf, variableOf } from '../../src/config/options/options.ts';
import { type DegradedCode, degradedCodes, degradedMeanings } from '../../src/control/degraded.ts';
import { controlRoutes } from '../../src/control/endpoints/endpoints.ts';
import { Metrics } from '../../src/control/metrics/metrics.ts';
import { refusals } from '../../src/control/refused-request.ts';
import type { ControlParts, ControlViews } from '../../src/control/views.ts';
import { driverMetrics } from '../../src/csi/driver-metrics.ts';
import { describeProblem, problemReasons } from '../../src/tree/problem.ts';
import { code, codes, sentence, table } from './markdown.ts';

/** One section of the page: its heading, what holds for all of its rows, and a table. */
export interface Section {
  readonly title: string;
  readonly text: string;
  readonly table: string;
}

export const sections: readonly (() => Section)[] = [
  commandSection,
  optionSection,
  exitCodeSection,
  errorCodeSection,
  endpointSection,
  problemCodeSection,
  degradedSection,
  reasonSection,
  logSection,
  metricSection,
];

function commandSection(): Section {
  return {
    title: 'Commands',
    text: '`dagmount help COMMAND` explains a command, and has examples.',
    table: table(
      ['command', 'does', 'flags of its own'],
      commands.map(({ name, aliases, usage, summary, flags }) => [
        [name, ...aliases].map((each) => code(`dagmount ${each} ${usage}`.trimEnd())).join(', or '),
        sentence(summary),
        flags
          .map((flag) =>
            code(`--${flag.name}${flag.placeholder === undefined ? '' : ` ${flag.placeholder}`}`),
          )
          .join(', '),
      ]),
    ),
  };
}

function optionSection(): Section {
  return {
    title: 'Options of mount',
    text: `${PRECEDENCE} A key in the file of \`--config\` (YAML) is the name of the flag.`,
    table: table(
      ['flag', 'variable', 'default', 'meaning'],
      optionNames.map((name) => {
        const option = optionOf(name);
        const isSwitch = negationOf(name) !== undefined;
        return [
          flagHelp(name).split(' | ').map(code).join(', '),
          code(variableOf(name)),
          isSwitch || option.default.includes(' ') ? option.default : code(option.default),
          sentence(option.help),
        ];
      }),
    ),
  };
}

function exitCodeSection(): Section {
  return {
    title: 'Exit codes',
    text: 'As in sysexits.h. A second SIGINT or SIGTERM ends the process at once, with 130 or 143. Two commands have a 1 of their own: `diff --exit-code` where the trees differ, and `releases` where the log or the ref is wrong. `status` ends with 0 also where the mount is degraded: scripts look at `degraded` of `--json`.',
    table: table(
      ['code', 'meaning'],
      exitCodeMeanings.map(([exitCode, meaning]) => [String(exitCode), sentence(meaning)]),
    ),
  };
}

function errorCodeSection(): Section {
  return {
    title: 'Error codes',
    text: 'A command that fails prints one sentence of what is wrong and one of what to do. The code is in the log (`code`), in the JSON of answers, and in `doctor --json`.',
    table: table(
      ['about', 'code', 'exit code', 'meaning'],
      Object.entries(errorGroups).flatMap(([group, entries]) =>
        Object.entries<ErrorMeaning>(entries).map(([name, [exitCode, meaning]]) => [
          group,
          code(name),
          String(exitCode),
          meaning,
        ]),
      ),
    ),
  };
}

function endpointSection(): Section {
  // The views are never called: only the rows are read.
  const routes = controlRoutes({} as ControlViews, { version: '' } as ControlParts);
  return {
    title: 'Endpoints of the control socket',
    text: '[control.md](control.md) says what they take and answer; `GET /v1/openapi.json` has every shape.',
    table: table(
      ['request', 'does', 'answers'],
      routes.map(({ method, path, summary, answers }) => [
        code(`${method} ${path}`),
        sentence(summary),
        Object.keys(answers).join(', '),
      ]),
    ),
  };
}

function problemCodeSection(): Section {
  return {
    title: 'Codes of refused requests',
    text: 'Problem details after RFC 9457: `code` is one of these.',
    table: table(
      ['code', 'status', 'title'],
      Object.entries(refusals).map(([name, [status, title]]) => [code(name), String(status), title]),
    ),
  };
}

function degradedSection(): Section {
  return {
    title: 'Codes of degraded',
    text: '`degraded` of `dagmount status` names what works less well than it should, while the tree that is shown is whole.',
    table: table(
      ['code', 'meaning'],
      degradedCodes.map((name: DegradedCode) => [code(name), degradedMeanings[name]]),
    ),
  };
}

function reasonSection(): Section {
  return {
    title: 'Reasons of problems',
    text: '`dagmount problems` names keys that cannot be shown as they are, each with a reason.',
    table: table(
      ['reason', 'meaning'],
      problemReasons.map((reason) => [code(reason), sentence(describeProblem(reason))]),
    ),
  };
}

function logSection(): Section {
  return {
    title: 'Log events',
    text: 'Every line of the log has an `event`, whose name does not change; the message beside it may. A line may leave out fields that say nothing at the moment.',
    table: table(
      ['event', 'level', 'meaning', 'fields'],
      (Object.keys(logEvents) as LogEvent[]).map((name) => {
        const { levels, meaning, fields } = logEvents[name];
        return [code(name), levels.join(', '), meaning, codes(fields)];
      }),
    ),
  };
}

const declaredOfDriver = Object.entries(driverMetrics).map(([name, declared]) => ({
  name,
  ...declared,
  scope: 'driver',
  stability: 'stable',
}));

function metricSection(): Section {
  return {
    title: 'Metrics',
    text: "Stable: name and labels do not change before the next major version. Values change: the values of a label follow how dagmount is built. Node.js's own metrics (`process_…`, `nodejs_…`) come beside these and follow prom-client. Only a mount that shows several trees has the label `tree`: the tree's directory. `dagmount csi` has the metrics of all mounts of its node, with the labels `source` and `mount_key`, and those that begin with `dagmount_csi`.",
    table: table(
      ['metric', 'type', 'labels', 'stability', 'meaning'],
      [...new Metrics({ version: '', node: '' }).declared, ...declaredOfDriver].map(
        ({ name, type, labels, scope, stability, help }) => [
          code(name),
          type,
          codes(scope === 'tree' ? [...labels, 'tree'] : labels),
          stability,
          sentence(help),
        ],
      ),
    ),
  };
}
