import { buildApp } from 'fauxqs';
import type { Undo } from './stage.ts';

export const bucket = 'acme-dags';
export const region = 'us-east-1';
/** The embedded store checks no signature: any would do. */
export const access = { accessKeyId: 'demo', secretAccessKey: 'demo' };

export interface Store {
  readonly endpoint: string;
  /** By a key of the bucket. */
  put(key: string, body: Uint8Array | string): Promise<void>;
}

/**
 * A store in this process, on the loopback address. So only a child process may look into a mount, and this process
 * must wait for it without blocking.
 */
export async function startStore(undo: Undo[]): Promise<Store> {
  const app = buildApp({ logger: false });
  heedConditions(app);
  const endpoint = await app.listen({ host: '127.0.0.1', port: 0 });
  undo.push(async () => {
    await app.close();
  });
  const send = async (path: string, body: Uint8Array | string): Promise<void> => {
    const answer = await fetch(`${endpoint}/${bucket}${path}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/octet-stream' },
      body,
    });
    if (!answer.ok) throw new Error(`the embedded store answered ${answer.status} to a PUT of ${path}`);
  };
  await send('', '');
  return { endpoint, put: (key, body) => send(`/${key}`, body) };
}

const REFUSED =
  '<?xml version="1.0" encoding="UTF-8"?><Error><Code>PreconditionFailed</Code>' +
  '<Message>At least one of the pre-conditions you specified did not hold</Message></Error>';

/**
 * fauxqs ignores the conditions of a PUT, which put deploys in order. Hooks with callbacks and fauxqs's handler run one
 * after the other without a pause, so that no other PUT comes between the look at the ETag and the write.
 */
function heedConditions(app: ReturnType<typeof buildApp>): void {
  const etags = new Map<string, string>();
  app.addHook('preHandler', (request, reply, done) => {
    const { 'if-none-match': absent, 'if-match': expected } = request.headers;
    const etag = etags.get(pathOf(request.url));
    const isRefused = (absent === '*' && etag !== undefined) || (expected !== undefined && expected !== etag);
    if (request.method === 'PUT' && isRefused) reply.code(412).type('application/xml').send(REFUSED);
    else done();
  });
  app.addHook('onSend', (request, reply, payload, done) => {
    const etag = reply.getHeader('etag');
    if (request.method === 'DELETE') etags.delete(pathOf(request.url));
    else if (request.method === 'PUT' && typeof etag === 'string') etags.set(pathOf(request.url), etag);
    done(null, payload);
  });
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? url;
}
