import { interceptLocalhostDns } from 'fauxqs';

/** Preloaded into a daemon: names below localhost, which fauxqs gives to its queues, are found. */
interceptLocalhostDns();
