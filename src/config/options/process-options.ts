import * as kinds from '../kinds.ts';
import { optional, setting } from './option.ts';

/** The options about the control socket, the metrics, and the process itself. */
export const processOptions = {
  socket: optional({
    group: 'control',
    kind: kinds.path('FILE'),
    help: 'Path of the control socket, which status and similar commands query',
    described:
      '/run/dagmount/<mount id>.sock as root, else in $XDG_RUNTIME_DIR/dagmount, else in /tmp/dagmount-<uid>',
  }),
  'socket-mode': setting({
    group: 'control',
    kind: kinds.socketMode(),
    help: 'Permission bits of the control socket',
    default: '0600',
  }),
  'socket-group': optional({
    group: 'control',
    kind: kinds.text('GROUP', 'the name or the number of a group', /^[A-Za-z0-9_][A-Za-z0-9_.@-]*\$?$/),
    help: 'Group of the control socket, for --socket-mode 0660',
    described: "the caller's",
  }),
  'metrics-listen': optional({
    group: 'control',
    kind: kinds.hostAndPort(),
    help: 'Serve /metrics, /healthz and /readyz, and nothing else, over TCP',
    described: 'off',
  }),
  daemon: setting({
    group: 'process',
    kind: kinds.toggle(),
    help: 'Return when the mount is ready, and serve it in the background',
    default: 'false',
    described: 'off',
  }),
  'log-level': setting({
    group: 'process',
    kind: kinds.choice(['error', 'warn', 'info', 'debug', 'trace']),
    help: 'Lowest level that is logged; debug adds stack traces to errors',
    default: 'info',
  }),
  'log-format': setting({
    group: 'process',
    kind: kinds.choice(['pretty', 'json']),
    help: 'Format of log lines: pretty for people, json for programs',
    default: ({ logsToTerminal }) => (logsToTerminal ? 'pretty' : 'json'),
    described: 'pretty on a terminal, else json',
  }),
  config: optional({
    group: 'process',
    kind: kinds.path('FILE'),
    help: 'YAML file with these options, named without the leading dashes',
    described: 'none',
  }),
  'print-config': setting({
    group: 'process',
    kind: kinds.toggle(),
    help: 'Print the configuration and where each value came from, and exit',
    default: 'false',
    described: 'off',
  }),
} as const;
