import { startSeaweedfs } from './seaweedfs.ts';

/** Starts one server for a whole run of scripts/test: prints its endpoint, and stops it on SIGTERM. */
const seaweedfs = await startSeaweedfs({ own: true });
process.stdout.write(`${seaweedfs.endpoint}\n`);
const alive = setInterval(() => undefined, 60_000);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.once(signal, () => {
    clearInterval(alive);
    void seaweedfs.stop();
  });
}
