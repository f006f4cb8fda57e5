import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Certificates {
  /** A PEM file with the private CA's certificate. */
  readonly caFile: string;
  /** PEM: the key and the certificate of a server at 127.0.0.1 and localhost, signed by that CA. */
  readonly key: string;
  readonly cert: string;
}

/** Makes a private CA and a server certificate signed by it, valid for a day, with the openssl command. */
export async function makeCertificates(directory: string): Promise<Certificates> {
  const at = (name: string): string => join(directory, name);
  const openssl = (...args: string[]): Promise<unknown> => run('openssl', args);
  await writeFile(at('server.ext'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n');
  const elliptic = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const ca = ['-x509', '-days', '1', '-subj', '/CN=dagmount test CA'];
  await openssl('req', ...ca, ...elliptic, '-keyout', at('ca.key'), '-out', at('ca.pem'));
  await openssl(
    'req',
    '-subj',
    '/CN=127.0.0.1',
    ...elliptic,
    '-keyout',
    at('server.key'),
    '-out',
    at('server.csr'),
  );
  const signer = [
    '-CA',
    at('ca.pem'),
    '-CAkey',
    at('ca.key'),
    '-CAcreateserial',
    '-extfile',
    at('server.ext'),
  ];
  await openssl('x509', '-req', '-days', '1', '-in', at('server.csr'), '-out', at('server.pem'), ...signer);
  return {
    caFile: at('ca.pem'),
    key: await readFile(at('server.key'), 'utf8'),
    cert: await readFile(at('server.pem'), 'utf8'),
  };
}
