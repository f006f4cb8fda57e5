#!/usr/bin/env node
import { loadServer } from './load-server.ts';
import { startCli } from './start-cli.ts';

startCli(loadServer);
