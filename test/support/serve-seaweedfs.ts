import { startSeaweedfs } from './seaweedfs.ts';

/** Starts one server for a whole run of scripts/test: prints its endpoint, and stops it on SIGTERM. */
const seaweedfs = await startSeaweedfs({ own: true });
process.stdout.write(`${seaweedfs.endpoint}\n`);
void seaweedfs.died.then((words) => {
  process.stderr.write(`SeaweedFS ended while the tests ran: ${words}\n`);
  process.exit(1);
});
const alive = setInterval(() => undefined, 60_000);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.once(signal, () => {
    clearInterval(alive);
    void seaweedfs.stop();
  });
}
