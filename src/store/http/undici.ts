import { createRequire } from 'node:module';
import type * as undici from 'undici';

const require = createRequire(import.meta.url);

/*
 * From undici's own files, which its package.json does not close: its index also loads fetch, WebSocket and the
 * cache, which nothing here uses. On Node 20 the index takes 110 ms to load, and these 40, in each of two threads.
 */
export const Agent: typeof undici.Agent = require('undici/lib/dispatcher/agent.js');
export const Pool: typeof undici.Pool = require('undici/lib/dispatcher/pool.js');
export const ProxyAgent: typeof undici.ProxyAgent = require('undici/lib/dispatcher/proxy-agent.js');
export type Agent = undici.Agent;
export type Pool = undici.Pool;
export type ProxyAgent = undici.ProxyAgent;

let convenient = false;

/**
 * Gives dispatchers request() and connect(), as the index does: the SDK asks for credentials by the one, and a
 * ProxyAgent opens tunnels by the other. They are half of what takes so long to load.
 */
export function loadDispatcherApi(): void {
  if (convenient) return;
  convenient = true;
  const { prototype } = require('undici/lib/dispatcher/dispatcher.js');
  Object.assign(prototype, require('undici/lib/api/index.js'));
}
