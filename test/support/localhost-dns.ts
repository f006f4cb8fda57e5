import { interceptLocalhostDns } from 'fauxqs';

/** Preloaded into a daemon: resolves names below localhost, which fauxqs gives to its queues. */
interceptLocalhostDns();
