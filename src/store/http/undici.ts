import { createRequire } from 'node:module';
import type * as undici from 'undici';

const require = createRequire(import.meta.url);

/*
 * Loads undici's files directly, which its package.json allows: its index also loads fetch, WebSocket and the
 * cache, all unused here. On Node 20 the index takes 110 ms to load and these files 40 ms, in each of two
 * threads.
 */
export const Agent: typeof undici.Agent = require('undici/lib/dispatcher/agent.js');
export const Pool: typeof undici.Pool = require('undici/lib/dispatcher/pool.js');
export const ProxyAgent: typeof undici.ProxyAgent = require('undici/lib/dispatcher/proxy-agent.js');
export type Agent = undici.Agent;
export type Pool = undici.Pool;
export type ProxyAgent = undici.ProxyAgent;

/*
 * Adds request() and connect() to dispatchers, as the index does: the SDK fetches credentials with request(), and a
 * ProxyAgent opens tunnels with connect().
 */
Object.assign(require('undici/lib/dispatcher/dispatcher.js').prototype, require('undici/lib/api/index.js'));
