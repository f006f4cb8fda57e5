import type { Fault, ProxiedRequest, StoredAnswer, StoreProxy } from '../support/proxy.ts';

/** The input of a fault that strikes one request. */
export interface Striking {
  readonly proxy: StoreProxy;
  readonly request: ProxiedRequest;
  /** Answers to LIST from before the objects changed, by the place of the page. */
  readonly past: ReadonlyMap<string, StoredAnswer>;
}

export type Strike = (striking: Striking) => Fault | undefined;

function refusal(status: number, code: string, headers: Readonly<Record<string, string>> = {}): Strike {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>as the test wants it</Message></Error>`;
  return () => ({ answer: { status, headers: { 'content-type': 'application/xml', ...headers }, body } });
}

const emptyListing =
  '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
  '<Name>any</Name><Prefix>dags/</Prefix><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType>' +
  '<IsTruncated>false</IsTruncated></ListBucketResult>';

/** The place in a listing where a page begins: the same for every listing of the same keys. */
export function placeOf({ url }: ProxiedRequest): string {
  return /[?&](?:continuation-token|start-after)=([^&]*)/.exec(url)?.[1] ?? '';
}

/** Every fault that can happen between dagmount and its store. */
export const faults = {
  'is down: it cuts every connection': () => ({ reset: true }),
  'is down: it refuses connections': ({ proxy }) => {
    void proxy.goDown();
    return { reset: true };
  },
  'takes requests and never answers': () => ({ hang: true }),
  'answers late': () => ({ delay: 1_500 }),
  'stops in the middle of an answer': () => ({ stall: 40 }),
  'answers 500': refusal(500, 'InternalError'),
  'answers 503 SlowDown': refusal(503, 'SlowDown'),
  'answers 503 and no word': () => ({ answer: { status: 503 } }),
  'answers 403 ExpiredToken': refusal(403, 'ExpiredToken'),
  'redirects to another region': refusal(301, 'PermanentRedirect', { 'x-amz-bucket-region': 'eu-west-1' }),
  'closes in the middle of an answer': () => ({ truncate: 40 }),
  'sends an answer of another length': () => ({
    change: ({ head, body }) => ({
      head: head.replace(/^content-length:.*$/im, `content-length: ${body.length >> 1}`),
      body: body.subarray(0, body.length >> 1),
    }),
  }),
  'flips one bit of the content': () => ({
    change: ({ head, body }) => {
      const flipped = Buffer.from(body);
      const at = flipped.length >> 1;
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      return { head, body: flipped };
    },
  }),
  'fails at the second page of a listing': (striking) =>
    placeOf(striking.request) === '' ? undefined : refusal(500, 'InternalError')(striking),
  'lists nothing': () => ({
    answer: { status: 200, headers: { 'content-type': 'application/xml' }, body: emptyListing },
  }),
  'lists what it had before': ({ request, past }) => ({
    change: (answer) => past.get(placeOf(request)) ?? answer,
  }),
} as const satisfies Readonly<Record<string, Strike>>;

export type FaultName = keyof typeof faults;
