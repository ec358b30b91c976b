// What is answered at a channel's door, after knative/eventing pkg/channel/event_receiver.go, and the case of each rule.
// Ours differs where docs/design.md section 6 says so: 404 for an unknown channel, 503 for a hand-off that failed, 413.

export interface ChannelIngressCase {
  readonly rule: (typeof CHANNEL_INGRESS_RULES)[number]
  readonly name: string
  readonly path: string
  readonly host?: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** State of the channel `ns/orders`, the only one there is. */
  readonly channel?: 'not ready' | 'full' | 'unavailable' | 'gone' | 'too small' | 'broken'
  /** Undefined: the request is none of a channel's. */
  readonly status: number | undefined
  /** What the answer's text must contain; absent: there must be none. */
  readonly text?: string
}

export const CHANNEL_INGRESS_RULES = [
  'a Host and no path name a channel',
  'a path names a channel',
  'what names no channel is left to others',
  'the channel must exist',
  'what is not one event is refused',
  'what is too large is refused',
  'a channel that is not ready is tried again later',
  'a failed hand-off is told by its kind',
  'a stored event is accepted',
] as const

const BINARY = { 'ce-specversion': '1.0', 'ce-id': 'a-1', 'ce-source': '/orders', 'ce-type': 'order.created' }
const HOST = 'orders-kn-channel.ns.svc.cluster.local'
const byHost = { path: '/', host: HOST, headers: BINARY } as const
const byPath = { path: '/channels/ns/orders', headers: BINARY } as const

export const CHANNEL_INGRESS_CASES: readonly ChannelIngressCase[] = [
  { rule: 'a Host and no path name a channel', name: 'the exact Host', ...byHost, status: 202 },
  {
    rule: 'a Host and no path name a channel',
    name: 'of a channel whose name looks like one',
    ...byHost,
    host: 'orders-kn-channel-kn-channel.ns.svc.cluster.local',
    status: 404,
    text: 'no channel "orders-kn-channel" in namespace "ns"',
  },
  ...[
    '',
    '127.0.0.1:8080',
    `${HOST}:80`,
    `${HOST}.`,
    'orders.ns.svc.cluster.local',
    'orders-kn-channel.ns.svc.example.org',
    'orders-kn-channel.ns.svc',
    'orders-kn-channel.svc.cluster.local',
    'orders-kn-channel..svc.cluster.local',
    'more.orders-kn-channel.ns.svc.cluster.local',
    'orders-kn-channel.ns.more.svc.cluster.local',
    '.svc.cluster.local',
  ].map(
    (host): ChannelIngressCase => ({
      rule: 'what names no channel is left to others',
      name: `Host '${host}'`,
      ...byHost,
      host,
      status: undefined,
    }),
  ),
  ...[
    '/ns/orders',
    '/channels',
    '/channels/',
    '/channels/orders',
    '/channels/orders/',
    '/channelsx/ns/orders',
    '//',
  ].map(
    (path): ChannelIngressCase => ({
      rule: 'what names no channel is left to others',
      name: `path ${path}, whatever the Host`,
      ...byHost,
      path,
      status: undefined,
    }),
  ),
  { rule: 'a path names a channel', name: 'namespace and name', ...byPath, status: 202 },
  { rule: 'a path names a channel', name: 'whatever the Host', ...byPath, host: 'x:8080', status: 202 },
  {
    rule: 'a path names a channel',
    name: 'one slash at the end',
    ...byPath,
    path: '/channels/ns/orders/',
    status: 202,
  },
  ...['/channels/ns/orders/more', '/channels/ns/orders//', '/channels/ns//more'].map(
    (path): ChannelIngressCase => ({
      rule: 'a path names a channel',
      name: path,
      ...byPath,
      path,
      status: 400,
      text: 'expected a path of the form /channels/{namespace}/{name}',
    }),
  ),
  {
    rule: 'the channel must exist',
    name: 'another name',
    ...byPath,
    path: '/channels/ns/other',
    status: 404,
    text: 'no channel "other" in namespace "ns": create it first',
  },
  {
    rule: 'the channel must exist',
    name: 'another namespace, by Host',
    ...byHost,
    host: 'orders-kn-channel.other.svc.cluster.local',
    status: 404,
    text: 'no channel "orders" in namespace "other": create it first',
  },
  {
    rule: 'the channel must exist',
    name: 'an empty namespace',
    ...byPath,
    path: '/channels//orders',
    status: 404,
    text: 'no channel "orders" in namespace ""',
  },
  {
    rule: 'the channel must exist',
    name: 'before anything is an event',
    ...byPath,
    path: '/channels/ns/other',
    headers: {},
    status: 404,
    text: 'no channel "other"',
  },
  {
    rule: 'what is not one event is refused',
    name: 'another content type',
    ...byPath,
    headers: { 'content-type': 'application/json' },
    body: '{}',
    status: 400,
    text: 'not a CloudEvent',
  },
  {
    rule: 'what is not one event is refused',
    name: 'an event without id',
    ...byHost,
    headers: { ...BINARY, 'ce-id': '' },
    status: 400,
    text: `attribute 'id' is ""`,
  },
  {
    rule: 'what is not one event is refused',
    name: 'bad JSON',
    ...byPath,
    headers: { 'content-type': 'application/cloudevents+json' },
    body: '{',
    status: 400,
    text: 'the body is not JSON',
  },
  {
    rule: 'what is not one event is refused',
    name: 'a batch',
    ...byPath,
    headers: { 'content-type': 'application/cloudevents-batch+json' },
    body: '[{"specversion":"1.0","id":"a-1","source":"/orders","type":"order.created"}]',
    status: 400,
    text: 'a batch is not accepted here: send one event per request',
  },
  {
    rule: 'what is too large is refused',
    name: 'data over the bound of an event',
    ...byPath,
    body: 'x'.repeat(1_025),
    status: 413,
    text: `the event's data has 1025 bytes, expected at most 1024`,
  },
  {
    rule: 'a channel that is not ready is tried again later',
    name: 'its log is not open',
    ...byPath,
    channel: 'not ready',
    status: 503,
    text: 'the channel is not ready yet: send the event again later',
  },
  ...(
    [
      ['full', 503, `the channel's log is full: send the event again later`],
      ['unavailable', 503, `the channel's log cannot be written now: send the event again later`],
      ['gone', 404, 'the channel was deleted'],
      ['too small', 413, `larger than the channel's log takes`],
      ['broken', 500, 'the event could not be stored: the log says why'],
    ] as const
  ).map(
    ([channel, status, text]): ChannelIngressCase => ({
      rule: 'a failed hand-off is told by its kind',
      name: `the log is ${channel}`,
      ...byHost,
      channel,
      status,
      text,
    }),
  ),
  { rule: 'a stored event is accepted', name: 'binary', ...byHost, body: 'x', status: 202 },
  {
    rule: 'a stored event is accepted',
    name: 'structured',
    ...byPath,
    headers: { 'content-type': 'application/cloudevents+json' },
    body: '{"specversion":"1.0","id":"a-1","source":"/orders","type":"order.created"}',
    status: 202,
  },
  {
    rule: 'a stored event is accepted',
    name: 'whatever its hop counter says',
    ...byPath,
    headers: { ...BINARY, 'ce-knativebrokerttl': '0' },
    status: 202,
  },
]
