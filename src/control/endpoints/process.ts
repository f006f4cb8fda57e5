import {
  configShape,
  type DaemonConfig,
  type LogLevel,
  logLevelRequestShape,
  logLevelShape,
} from '../shapes/daemon.ts';
import { noQueryShape } from '../shapes/status.ts';
import { type Route, route } from './route.ts';

/** The operations on the process. */
export interface ProcessViews {
  config(): DaemonConfig;
  /** Sets the log level, and returns the previous level. */
  setLogLevel(level: LogLevel): LogLevel;
}

export function processRoutes(daemon: ProcessViews): readonly Route[] {
  return [
    route({
      method: 'PUT',
      path: '/v1/log-level',
      summary: 'Changes the log level, until the daemon ends',
      query: noQueryShape,
      body: logLevelRequestShape,
      answers: { 200: logLevelShape },
      handle: ({ body: { level } }) => ({ status: 200, json: { level, was: daemon.setLogLevel(level) } }),
    }),
    route({
      method: 'GET',
      path: '/v1/config',
      summary: 'The configuration of the daemon, and the origin of each value',
      query: noQueryShape,
      answers: { 200: configShape },
      handle: () => ({ status: 200, json: daemon.config() }),
    }),
  ];
}
