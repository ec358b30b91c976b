// The order of checks at a broker's door, after knative/eventing pkg/broker/ingress/ingress_handler.go, and the case of
// each. Ours differs where docs/design.md section 6 says so: 503 for a hand-off that failed, limits with 413, and a line of
// text for whoever was refused.

export interface IngressCase {
  readonly rule: (typeof INGRESS_RULES)[number]
  readonly name: string
  readonly method: 'POST' | 'GET' | 'HEAD' | 'PUT' | 'DELETE' | 'PATCH' | 'OPTIONS'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** State of the broker `ns/orders`, the only one there is. */
  readonly broker?: 'not ready' | 'full' | 'unavailable' | 'gone' | 'too small' | 'broken'
  readonly status: number
  /** Headers the answer must have. That of `Allow` is checked for every case. */
  readonly answers?: Readonly<Record<string, string>>
  /** What the answer's text must contain; absent: there must be none. */
  readonly text?: string
}

export const INGRESS_RULES = [
  'OPTIONS is answered on any path',
  'other methods are refused',
  'nothing is at /',
  'the path is /namespace/broker',
  'the query is ignored',
  'what is not an event is refused, whether its broker exists or not',
  'encoded bodies are refused',
  'what is too large is refused',
  'the broker must exist',
  'a TTL that is spent is refused',
  'a broker that is not ready is tried again later',
  'a failed hand-off is told by its kind',
  'a stored event is accepted',
] as const

const BINARY = { 'ce-specversion': '1.0', 'ce-id': 'a-1', 'ce-source': '/orders', 'ce-type': 'order.created' }
const NO_EVENT = { 'content-type': 'application/json' }
const STRUCTURED = { 'content-type': 'application/cloudevents+json' }
const HANDSHAKE = { 'webhook-allowed-origin': '*', 'webhook-allowed-rate': '*' }
const post = { method: 'POST', headers: BINARY } as const

export const INGRESS_CASES: readonly IngressCase[] = [
  ...['/', '/a', '/ns/orders', '/no/such/path', '/ns/unknown'].map(
    (path): IngressCase => ({
      rule: 'OPTIONS is answered on any path',
      name: path,
      method: 'OPTIONS',
      path,
      headers: { 'webhook-request-origin': 'example.com' },
      status: 200,
      answers: HANDSHAKE,
    }),
  ),
  ...(['GET', 'PUT', 'DELETE', 'PATCH'] as const).map(
    (method): IngressCase => ({
      rule: 'other methods are refused',
      name: method,
      method,
      path: '/ns/orders',
      headers: BINARY,
      status: 405,
      text: 'expected POST',
    }),
  ),
  {
    rule: 'other methods are refused',
    name: 'HEAD',
    method: 'HEAD',
    path: '/ns/orders',
    headers: {},
    status: 405,
  },
  {
    rule: 'other methods are refused',
    name: 'before the path is looked at',
    method: 'GET',
    path: '/',
    headers: {},
    status: 405,
    text: 'expected POST',
  },
  { rule: 'nothing is at /', name: 'an event', ...post, path: '/', status: 404, text: '/{namespace}/{broker}' },
  { rule: 'nothing is at /', name: 'with a query', ...post, path: '/?a=b', status: 404, text: '/{namespace}/{broker}' },
  ...['/ns', '/ns/', '/ns/orders/x', '/ns/orders//', '//', '/ns/orders/x/'].map(
    (path): IngressCase => ({
      rule: 'the path is /namespace/broker',
      name: path,
      ...post,
      path,
      status: 400,
      text: 'expected a path of the form /{namespace}/{broker}',
    }),
  ),
  { rule: 'the path is /namespace/broker', name: 'one slash at the end', ...post, path: '/ns/orders/', status: 202 },
  {
    rule: 'the path is /namespace/broker',
    name: 'an empty name is no broker',
    ...post,
    path: '//orders',
    status: 404,
    text: `no broker "orders" in namespace ""`,
  },
  {
    rule: 'the path is /namespace/broker',
    name: 'two empty names are no broker',
    ...post,
    path: '///',
    status: 404,
    text: `no broker "" in namespace ""`,
  },
  { rule: 'the query is ignored', name: 'a query', ...post, path: '/ns/orders?x=1/2', status: 202 },
  {
    rule: 'the query is ignored',
    name: 'and never part of a name',
    ...post,
    path: '/ns/order?s',
    status: 404,
    text: 'no broker "order" in namespace "ns"',
  },
  ...['/ns/orders', '/ns/unknown'].flatMap((path): IngressCase[] => [
    {
      rule: 'what is not an event is refused, whether its broker exists or not',
      name: `no event to ${path}`,
      method: 'POST',
      path,
      headers: NO_EVENT,
      body: '{}',
      status: 400,
      text: 'not a CloudEvent',
    },
    {
      rule: 'what is not an event is refused, whether its broker exists or not',
      name: `an unknown specversion to ${path}`,
      method: 'POST',
      path,
      headers: { ...BINARY, 'ce-specversion': '9.9' },
      status: 400,
      text: `attribute 'specversion' is "9.9"`,
    },
    {
      rule: 'what is not an event is refused, whether its broker exists or not',
      name: `bad JSON to ${path}`,
      method: 'POST',
      path,
      headers: STRUCTURED,
      body: '{',
      status: 400,
      text: 'the body is not JSON',
    },
    {
      rule: 'what is not an event is refused, whether its broker exists or not',
      name: `an event without id to ${path}`,
      method: 'POST',
      path,
      headers: { ...BINARY, 'ce-id': '' },
      status: 400,
      text: `attribute 'id' is ""`,
    },
  ]),
  {
    rule: 'encoded bodies are refused',
    name: 'gzip',
    method: 'POST',
    path: '/ns/orders',
    headers: { ...BINARY, 'content-encoding': 'gzip' },
    body: 'x',
    status: 400,
    text: 'Content-Encoding is not accepted',
  },
  {
    rule: 'encoded bodies are refused',
    name: 'identity is no encoding',
    method: 'POST',
    path: '/ns/orders',
    headers: { ...BINARY, 'content-encoding': 'Identity' },
    body: 'x',
    status: 202,
  },
  {
    rule: 'what is too large is refused',
    name: 'data over the bound of an event',
    ...post,
    path: '/ns/orders',
    body: 'x'.repeat(1_025),
    status: 413,
    text: `the event's data has 1025 bytes, expected at most 1024`,
  },
  {
    rule: 'what is too large is refused',
    name: 'a body over the bound of a request',
    ...post,
    path: '/ns/orders',
    body: 'x'.repeat(65_537),
    status: 413,
    text: 'the body has more than 65536 bytes',
  },
  {
    rule: 'the broker must exist',
    name: 'another name',
    ...post,
    path: '/ns/unknown',
    status: 404,
    text: 'no broker "unknown" in namespace "ns"',
  },
  {
    rule: 'the broker must exist',
    name: 'another namespace',
    ...post,
    path: '/other/orders',
    status: 404,
    text: 'no broker "orders" in namespace "other"',
  },
  ...['1', '0', '-3'].map(
    (ttl): IngressCase => ({
      rule: 'a TTL that is spent is refused',
      name: ttl,
      method: 'POST',
      path: '/ns/orders',
      headers: { ...BINARY, 'ce-knativebrokerttl': ttl },
      status: 400,
      text: `attribute 'knativebrokerttl' is spent`,
    }),
  ),
  {
    rule: 'a TTL that is spent is refused',
    name: '2 is not spent',
    method: 'POST',
    path: '/ns/orders',
    headers: { ...BINARY, 'ce-knativebrokerttl': '2' },
    status: 202,
  },
  {
    rule: 'a broker that is not ready is tried again later',
    name: 'its log is not open',
    ...post,
    path: '/ns/orders',
    broker: 'not ready',
    status: 503,
    answers: { 'retry-after': '1' },
    text: 'the broker is not ready yet: send the event again later',
  },
  ...(
    [
      ['full', 503, `the broker's log is full: send the event again later`],
      ['unavailable', 503, `the broker's log cannot be written now: send the event again later\n`],
      ['gone', 404, 'the broker was deleted'],
      ['too small', 413, `larger than the broker's log takes`],
      ['broken', 500, 'the event could not be stored: the log says why'],
    ] as const
  ).map(
    ([broker, status, text]): IngressCase => ({
      rule: 'a failed hand-off is told by its kind',
      name: `the log is ${broker}`,
      ...post,
      path: '/ns/orders',
      broker,
      status,
      ...(status === 503 ? { answers: { 'retry-after': '1' } } : {}),
      text,
    }),
  ),
  { rule: 'a stored event is accepted', name: 'binary', ...post, path: '/ns/orders', body: 'x', status: 202 },
  {
    rule: 'a stored event is accepted',
    name: 'structured',
    method: 'POST',
    path: '/ns/orders',
    headers: STRUCTURED,
    body: '{"specversion":"1.0","id":"a-1","source":"/orders","type":"order.created"}',
    status: 202,
  },
]
