// What the CloudEvents specifications say about an incoming event, one rule a line, and the cases that show each of them.
// `accepts`: attributes the event must have (undefined: must not have), and its data as text. `refuses`: what the error's
// text must contain.

export interface DecodeCase {
  readonly rule: Rule
  readonly name: string
  readonly headers: readonly string[]
  readonly body: string | Buffer
  readonly accepts?: {
    readonly attributes?: Readonly<Record<string, string | undefined>>
    readonly data?: string | Buffer | 'none'
  }
  readonly refuses?: string
}

export const RULES = [
  'mode: structured by Content-Type, in any case and with parameters',
  'mode: a batch is refused where none is allowed',
  'mode: binary by ce-specversion',
  'mode: the body wins over ce- headers',
  'mode: other event formats and other bodies are no events',
  'specversion: required, 1.0 or 0.3',
  'id: required, not blank',
  'source: required, a URI-reference',
  'type: required, not blank',
  'subject: not blank',
  'time: RFC 3339',
  'datacontenttype: a media type, in binary mode Content-Type',
  'dataschema: an absolute URI',
  'extension names: letters and digits, lower-cased',
  'JSON values: strings, booleans and integers of 32 bits as text',
  'JSON values: null is absent',
  'JSON values: objects and arrays are refused',
  'JSON values: attributes of the specification must be strings',
  'header values: double quotes are undone',
  'header values: percent-decoded once',
  'header values: UTF-8 or refused',
  'header values: the first of a repeated header counts',
  'data: data and data_base64 exclude each other',
  'data: base64',
  'data: JSON stays as it came',
  'data: without a type it is JSON',
  'data: another type needs a string',
  'data: a binary body is taken byte for byte, an empty one is none',
  'JSON: the order of members does not matter',
  'JSON: repeated members are refused',
  'JSON: what is not an object in UTF-8 is refused',
  'version 0.3: passed on as 0.3',
  'version 0.3: data in base64 by datacontentencoding',
  'limits: data, attributes and depth',
] as const

export type Rule = (typeof RULES)[number]

/** Bound of one event's data in all cases. */
export const MAX_EVENT_BYTES = 2_048

const REQUIRED = { 'ce-specversion': '1.0', 'ce-id': 'a-1', 'ce-source': '/orders', 'ce-type': 'order.created' }
const STRUCTURED = ['Content-Type', 'application/cloudevents+json']

type Rest = Pick<DecodeCase, 'rule' | 'name' | 'accepts' | 'refuses'>

/** A valid binary event, its headers changed; undefined takes one away. */
function binary(headers: Readonly<Record<string, string | undefined>>, rest: Rest & { body?: string | Buffer }) {
  const list: string[] = []
  for (const [name, value] of Object.entries({ ...REQUIRED, ...headers })) {
    if (value !== undefined) list.push(name, value)
  }
  return { headers: list, body: '', ...rest }
}

/** A valid structured event, its members changed. Values are JSON texts; undefined takes a member away. */
function structured(members: Readonly<Record<string, string | undefined>>, rest: Rest): DecodeCase {
  const all = { specversion: '"1.0"', id: '"a-1"', source: '"/orders"', type: '"order.created"', ...members }
  const texts = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`"${name}": ${value}`]))
  return { headers: STRUCTURED, body: `{ ${texts.join(', ')} }`, ...rest }
}

const EVENT = '{"specversion":"1.0","id":"a-1","source":"/orders","type":"order.created"}'

const MODES: readonly DecodeCase[] = [
  {
    rule: 'mode: structured by Content-Type, in any case and with parameters',
    name: 'the plain type',
    headers: STRUCTURED,
    body: EVENT,
    accepts: { attributes: { id: 'a-1', datacontenttype: undefined }, data: 'none' },
  },
  {
    rule: 'mode: structured by Content-Type, in any case and with parameters',
    name: 'capitals and a charset',
    headers: ['CONTENT-TYPE', 'Application/CloudEvents+JSON ; charset=UTF-8'],
    body: EVENT,
    accepts: { attributes: { id: 'a-1' } },
  },
  {
    rule: 'mode: a batch is refused where none is allowed',
    name: 'a valid batch',
    headers: ['Content-Type', 'application/cloudevents-batch+json'],
    body: `[${EVENT}]`,
    refuses: 'a batch is not accepted here',
  },
  binary(
    {},
    { rule: 'mode: binary by ce-specversion', name: 'no Content-Type', accepts: { attributes: { id: 'a-1' } } },
  ),
  {
    rule: 'mode: binary by ce-specversion',
    name: 'header names in capitals',
    headers: ['CE-SPECVERSION', '1.0', 'Ce-Id', 'a-1', 'CE-Source', '/orders', 'cE-tYPE', 'order.created'],
    body: '',
    accepts: { attributes: { specversion: '1.0', id: 'a-1', source: '/orders', type: 'order.created' } },
  },
  binary(
    { 'content-type': 'application/cloudevents+xml' },
    {
      rule: 'mode: binary by ce-specversion',
      name: 'an event format that is not known',
      body: '<event/>',
      accepts: { attributes: { datacontenttype: 'application/cloudevents+xml' }, data: '<event/>' },
    },
  ),
  {
    rule: 'mode: the body wins over ce- headers',
    name: 'other attributes in headers',
    headers: [...STRUCTURED, 'ce-specversion', '1.0', 'ce-id', 'other', 'ce-extra', 'x'],
    body: EVENT,
    accepts: { attributes: { id: 'a-1', extra: undefined } },
  },
  {
    rule: 'mode: the body wins over ce- headers',
    name: 'invalid attributes in headers',
    headers: [...STRUCTURED, 'ce-bad-name', 'x', 'ce-subject', '%FF'],
    body: EVENT,
    accepts: { attributes: { id: 'a-1', subject: undefined } },
  },
  {
    rule: 'mode: other event formats and other bodies are no events',
    name: 'XML without ce-specversion',
    headers: ['Content-Type', 'application/cloudevents+xml'],
    body: '<event/>',
    refuses: 'no ce-specversion header, and Content-Type "application/cloudevents+xml"',
  },
  {
    rule: 'mode: other event formats and other bodies are no events',
    name: 'Avro without ce-specversion',
    headers: ['Content-Type', 'application/cloudevents+avro'],
    body: 'x',
    refuses: 'not a CloudEvent',
  },
  {
    rule: 'mode: other event formats and other bodies are no events',
    name: 'plain JSON',
    headers: ['Content-Type', 'application/json'],
    body: EVENT,
    refuses: 'not a CloudEvent',
  },
  {
    rule: 'mode: other event formats and other bodies are no events',
    name: 'nothing at all',
    headers: [],
    body: '',
    refuses: 'no ce-specversion header, and no Content-Type',
  },
]

const SPECVERSION: readonly DecodeCase[] = [
  binary({ 'ce-specversion': undefined }, { ...of('absent'), refuses: 'not a CloudEvent' }),
  binary({ 'ce-specversion': '' }, { ...of('empty'), refuses: `attribute 'specversion' is ""` }),
  binary(
    { 'ce-specversion': '2.0' },
    { ...of('unknown'), refuses: `attribute 'specversion' is "2.0", expected '1.0' or '0.3'` },
  ),
  binary({ 'ce-specversion': '1' }, { ...of('shortened'), refuses: `attribute 'specversion' is "1"` }),
  structured({ specversion: undefined }, { ...of('absent'), refuses: `attribute 'specversion' is missing` }),
  structured({ specversion: 'null' }, { ...of('null'), refuses: `attribute 'specversion' is missing` }),
  structured({ specversion: '1.0' }, { ...of('a number'), refuses: `attribute 'specversion' is a number` }),
  structured({ specversion: '"1.1"' }, { ...of('unknown'), refuses: `attribute 'specversion' is "1.1"` }),
]

function of(name: string): Rest {
  return { rule: 'specversion: required, 1.0 or 0.3', name }
}

const NOT_BLANK: readonly DecodeCase[] = (['id', 'type'] as const).flatMap((attribute) => {
  const rule: Rule = `${attribute}: required, not blank`
  const header = `ce-${attribute}`
  const missing = `attribute '${attribute}' is missing, expected a non-empty value`
  return [
    binary({ [header]: undefined }, { rule, name: 'absent', refuses: missing }),
    binary({ [header]: '' }, { rule, name: 'empty', refuses: `attribute '${attribute}' is ""` }),
    binary({ [header]: '%20%09' }, { rule, name: 'space only', refuses: `attribute '${attribute}' is " \\t"` }),
    binary({ [header]: '%C2%A0' }, { rule, name: 'a no-break space only', refuses: `attribute '${attribute}' is ` }),
    binary({ [header]: 'é'.repeat(3) }, { rule, name: 'not UTF-8', refuses: `attribute '${attribute}' is not UTF-8` }),
    binary(
      { [header]: 'x'.repeat(300) },
      { rule, name: 'long', accepts: { attributes: { [attribute]: 'x'.repeat(300) } } },
    ),
    structured({ [attribute]: undefined }, { rule, name: 'absent', refuses: missing }),
    structured({ [attribute]: 'null' }, { rule, name: 'null', refuses: missing }),
    structured({ [attribute]: '"  "' }, { rule, name: 'space only', refuses: `attribute '${attribute}' is "  "` }),
    structured({ [attribute]: '7' }, { rule, name: 'a number', refuses: `attribute '${attribute}' is a number` }),
    structured(
      { [attribute]: '" x "' },
      { rule, name: 'space around it is kept', accepts: { attributes: { [attribute]: ' x ' } } },
    ),
  ]
})

const SOURCES: readonly (readonly [name: string, source: string, isGood: boolean])[] = [
  ['an absolute path', '/orders', true],
  ['a relative path', 'orders/eu', true],
  ['a URL with all its parts', 'https://user@example.com:8080/a/b?c=d&e=[1]#f', true],
  ['an IPv6 host', 'http://[::1]:80/', true],
  ['a URN', 'urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66', true],
  ['a mail address', 'mailto:a@example.com', true],
  ['a colon after the first segment', './a:b', true],
  ['a colon in a query', '?a:b', true],
  ['letters beyond ASCII', '/é/日', true],
  ['a host without scheme', '//example.com/a', true],
  ['no scheme before the colon', ':orders', false],
  ['a scheme that begins with a digit', '1a:b', false],
  ['a colon in the first segment of a path', 'a_b:c', false],
  ['a scheme and nothing else', 'https:', false],
  ['an open bracket', 'http://[::1', false],
  ['a port that is no number', 'http://example.com:http/', false],
  ['a space in the host', 'http://exa mple.com/', false],
  ['two hosts', 'http://a@b@c/', false],
  ['a control character', '/a\u0001b', false],
]

const SOURCE: readonly DecodeCase[] = [
  ...SOURCES.map(([name, source, isGood]) =>
    structured(
      { source: JSON.stringify(source) },
      {
        rule: 'source: required, a URI-reference',
        name,
        ...(isGood ? { accepts: { attributes: { source } } } : { refuses: `attribute 'source' is ` }),
      },
    ),
  ),
  binary(
    { 'ce-source': '/a%20b' },
    {
      rule: 'source: required, a URI-reference',
      name: 'an escape that is undone on the way',
      accepts: { attributes: { source: '/a b' } },
    },
  ),
  binary({ 'ce-source': undefined }, { ...ofSource('absent'), refuses: `attribute 'source' is missing` }),
  binary({ 'ce-source': '' }, { ...ofSource('empty'), refuses: `attribute 'source' is ""` }),
  structured({ source: undefined }, { ...ofSource('absent'), refuses: `attribute 'source' is missing` }),
  structured({ source: '""' }, { ...ofSource('empty'), refuses: `attribute 'source' is ""` }),
  structured({ source: 'true' }, { ...ofSource('a boolean'), refuses: `attribute 'source' is a boolean` }),
]

function ofSource(name: string): Rest {
  return { rule: 'source: required, a URI-reference', name }
}

const SUBJECT: readonly DecodeCase[] = [
  binary(
    { 'ce-subject': 'eu/12' },
    { rule: 'subject: not blank', name: 'given', accepts: { attributes: { subject: 'eu/12' } } },
  ),
  binary({}, { rule: 'subject: not blank', name: 'absent', accepts: { attributes: { subject: undefined } } }),
  binary({ 'ce-subject': '' }, { rule: 'subject: not blank', name: 'empty', refuses: `attribute 'subject' is ""` }),
  structured(
    { subject: '"\\n"' },
    { rule: 'subject: not blank', name: 'space only', refuses: `attribute 'subject' is "\\n"` },
  ),
  structured({ subject: '[]' }, { rule: 'subject: not blank', name: 'an array', refuses: `'subject' is an array` }),
]

const TIMES: readonly (readonly [name: string, time: string, isGood: boolean])[] = [
  ['UTC', '2026-01-02T03:04:05Z', true],
  ['a fraction', '2026-01-02T03:04:05.123456789Z', true],
  ['an offset', '2026-01-02T03:04:05+05:30', true],
  ['lower case', '2026-01-02t03:04:05z', true],
  ['a leap day', '2024-02-29T00:00:00Z', true],
  ['a leap second', '1990-12-31T15:59:60-08:00', true],
  ['a leap day of a common year', '2026-02-29T00:00:00Z', false],
  ['a leap day of a century', '2100-02-29T00:00:00Z', false],
  ['a leap second in the middle of a day', '1990-12-31T15:59:60Z', false],
  ['month 13', '2026-13-02T03:04:05Z', false],
  ['month 0', '2026-00-02T03:04:05Z', false],
  ['day 0', '2026-01-00T03:04:05Z', false],
  ['day 31 of a month of 30', '2026-04-31T03:04:05Z', false],
  ['hour 24', '2026-01-02T24:00:00Z', false],
  ['minute 60', '2026-01-02T03:60:05Z', false],
  ['second 61', '2026-01-02T03:04:61Z', false],
  ['no offset', '2026-01-02T03:04:05', false],
  ['an offset without colon', '2026-01-02T03:04:05+0530', false],
  ['an offset of 24 hours', '2026-01-02T03:04:05+24:00', false],
  ['a point without digits', '2026-01-02T03:04:05.Z', false],
  ['a comma', '2026-01-02T03:04:05,5Z', false],
  ['a space for the T', '2026-01-02 03:04:05Z', false],
  ['a date', '2026-01-02', false],
  ['slashes', '2026/01/02T03:04:05Z', false],
  ['something behind it', '2026-01-02T03:04:05Zulu', false],
  ['words', 'yesterday', false],
  ['nothing', '', false],
]

const TIME: readonly DecodeCase[] = [
  ...TIMES.map(([name, time, isGood]) =>
    binary(
      { 'ce-time': time },
      {
        rule: 'time: RFC 3339',
        name,
        ...(isGood
          ? { accepts: { attributes: { time } } }
          : { refuses: `attribute 'time' is ${JSON.stringify(time)}` }),
      },
    ),
  ),
  structured({ time: '1767323045' }, { rule: 'time: RFC 3339', name: 'a number', refuses: `'time' is a number` }),
  structured({ time: '"soon"' }, { rule: 'time: RFC 3339', name: 'words', refuses: `attribute 'time' is "soon"` }),
]

const TYPES: readonly (readonly [name: string, type: string, isGood: boolean])[] = [
  ['a type', 'text/plain', true],
  ['parameters', 'text/plain; charset=utf-8;format=flowed', true],
  ['a quoted parameter', 'multipart/mixed; boundary="a \\"b\\" ;c"', true],
  ['a semicolon at the end', 'text/plain;', true],
  ['a vendor type', 'application/vnd.example.order+json', true],
  ['no subtype', 'text', false],
  ['an empty subtype', 'text/', false],
  ['a space inside', 'text/pl ain', false],
  ['a parameter without value', 'text/plain; charset', false],
  ['an open quote', 'text/plain; charset="utf-8', false],
  ['nothing', '', false],
]

const DATACONTENTTYPE: readonly DecodeCase[] = [
  ...TYPES.map(([name, type, isGood]) =>
    binary(
      { 'content-type': type },
      {
        rule: 'datacontenttype: a media type, in binary mode Content-Type',
        name,
        ...(isGood ? { accepts: { attributes: { datacontenttype: type } } } : { refuses: `'datacontenttype' is "` }),
      },
    ),
  ),
  binary(
    { 'ce-datacontenttype': 'text/plain' },
    {
      rule: 'datacontenttype: a media type, in binary mode Content-Type',
      name: 'as a ce- header',
      refuses: `attribute 'datacontenttype' is sent as ce-datacontenttype, expected it in Content-Type`,
    },
  ),
  structured(
    { datacontenttype: '"json"' },
    {
      rule: 'datacontenttype: a media type, in binary mode Content-Type',
      name: 'no subtype',
      refuses: `attribute 'datacontenttype' is "json"`,
    },
  ),
]

const DATASCHEMA: readonly DecodeCase[] = (
  [
    ['a URL', 'https://example.com/order.json', true],
    ['a URN', 'urn:order:1', true],
    ['a fragment', 'https://example.com/order.json#v2', true],
    ['a path', '/order.json', false],
    ['a host without scheme', '//example.com/order.json', false],
    ['a scheme and nothing else', 'https:', false],
    ['nothing', '', false],
  ] as const
).map(([name, dataschema, isGood]) =>
  structured(
    { dataschema: JSON.stringify(dataschema) },
    {
      rule: 'dataschema: an absolute URI',
      name,
      ...(isGood ? { accepts: { attributes: { dataschema } } } : { refuses: `attribute 'dataschema' is ` }),
    },
  ),
)

const NAMES: readonly DecodeCase[] = [
  binary({ 'ce-x1': 'v' }, { ...ofNames('letters and digits'), accepts: { attributes: { x1: 'v' } } }),
  binary({ 'ce-TraceId': 'v' }, { ...ofNames('upper case'), accepts: { attributes: { traceid: 'v' } } }),
  binary(
    { [`ce-${'n'.repeat(64)}`]: 'v' },
    { ...ofNames('longer than recommended'), accepts: { attributes: { ['n'.repeat(64)]: 'v' } } },
  ),
  binary(
    { 'ce-constructor': 'v' },
    { ...ofNames('a name that objects inherit'), accepts: { attributes: { constructor: 'v' } } },
  ),
  binary({ 'ce-a-b': 'v' }, { ...ofNames('a hyphen'), refuses: 'attribute name "a-b"' }),
  binary({ 'ce-a_b': 'v' }, { ...ofNames('an underscore'), refuses: 'attribute name "a_b"' }),
  binary({ 'ce-__proto__': 'v' }, { ...ofNames('the prototype'), refuses: 'attribute name "__proto__"' }),
  binary({ 'ce-': 'v' }, { ...ofNames('empty'), refuses: 'attribute name ""' }),
  binary({ 'ce-data': 'v' }, { ...ofNames('the name of the data'), refuses: 'attribute name "data"' }),
  structured({ TraceId: '"v"' }, { ...ofNames('upper case'), accepts: { attributes: { traceid: 'v' } } }),
  structured(
    { toString: '"v"', hasOwnProperty: '"w"' },
    {
      ...ofNames('names that objects inherit'),
      accepts: { attributes: { tostring: 'v', hasownproperty: 'w' } },
    },
  ),
  structured({ ['__proto__']: '{}' }, { ...ofNames('the prototype'), refuses: 'attribute name "__proto__"' }),
  structured({ 'a.b': '"v"' }, { ...ofNames('a point'), refuses: 'attribute name "a.b"' }),
  structured({ é: '"v"' }, { ...ofNames('beyond ASCII'), refuses: 'attribute name "é"' }),
  structured({ '': '"v"' }, { ...ofNames('empty'), refuses: 'attribute name ""' }),
  structured({ Data: '"v"' }, { ...ofNames('the name of the data in capitals'), refuses: 'attribute name "Data"' }),
]

function ofNames(name: string): Rest {
  return { rule: 'extension names: letters and digits, lower-cased', name }
}

const VALUES: readonly DecodeCase[] = [
  ...(
    [
      ['a string', '"1.50"', '1.50'],
      ['an empty string', '""', ''],
      ['true', 'true', 'true'],
      ['false', 'false', 'false'],
      ['an integer', '-42', '-42'],
      ['the largest integer', '2147483647', '2147483647'],
      ['the smallest integer', '-2147483648', '-2147483648'],
      ['a fraction, which is cut', '-1.9', '-1'],
      ['an exponent', '1e3', '1000'],
      ['minus nought', '-0', '0'],
    ] as const
  ).map(([name, json, text]) =>
    structured(
      { ext: json },
      {
        rule: 'JSON values: strings, booleans and integers of 32 bits as text',
        name,
        accepts: { attributes: { ext: text } },
      },
    ),
  ),
  ...['2147483648', '-2147483649', '1e400'].map((json) =>
    structured(
      { ext: json },
      {
        rule: 'JSON values: strings, booleans and integers of 32 bits as text',
        name: `${json} is out of range`,
        refuses: 'expected an integer of 32 bits',
      },
    ),
  ),
  structured(
    { ext: '"\\ud800"' },
    {
      rule: 'JSON values: strings, booleans and integers of 32 bits as text',
      name: 'half a surrogate pair',
      refuses: `attribute 'ext' is `,
    },
  ),
  structured(
    { ext: 'null', subject: 'null', data: 'null', data_base64: 'null' },
    {
      rule: 'JSON values: null is absent',
      name: 'every optional member',
      accepts: { attributes: { ext: undefined, subject: undefined, datacontenttype: undefined }, data: 'none' },
    },
  ),
  structured(
    { ext: '{}' },
    { rule: 'JSON values: objects and arrays are refused', name: 'an object', refuses: `'ext' is an object` },
  ),
  structured(
    { ext: '[1]' },
    { rule: 'JSON values: objects and arrays are refused', name: 'an array', refuses: `'ext' is an array` },
  ),
  ...['specversion', 'id', 'source', 'type', 'subject', 'time', 'datacontenttype', 'dataschema'].map((attribute) =>
    structured(
      { [attribute]: '1' },
      {
        rule: 'JSON values: attributes of the specification must be strings',
        name: attribute,
        refuses: `attribute '${attribute}' is a number, expected a string`,
      },
    ),
  ),
]

const HEADER_VALUES: readonly DecodeCase[] = [
  ...(
    [
      ['header values: double quotes are undone', 'a quoted value', '"a b"', 'a b'],
      ['header values: double quotes are undone', 'escapes', '"a \\"b\\" \\\\c"', 'a "b" \\c'],
      ['header values: double quotes are undone', 'before percent-decoding', '"%22x%22"', '"x"'],
      ['header values: double quotes are undone', 'a quote that is not closed stands for itself', '"a', '"a'],
      ['header values: double quotes are undone', 'quotes inside stand for themselves', 'a "b" c', 'a "b" c'],
      ['header values: double quotes are undone', 'two quoted strings are none', '"a" "b"', '"a" "b"'],
      ['header values: double quotes are undone', 'one quote', '"', '"'],
      ['header values: percent-decoded once', 'UTF-8', 'Euro%20%E2%82%AC%20%F0%9F%98%80', 'Euro € 😀'],
      ['header values: percent-decoded once', 'lower-case digits', '%e2%82%ac', '€'],
      ['header values: percent-decoded once', 'needless escapes', '%61bc', 'abc'],
      ['header values: percent-decoded once', 'once and no more', '%2541', '%41'],
      ['header values: percent-decoded once', 'a plus sign is a plus sign', 'a+b', 'a+b'],
      ['header values: percent-decoded once', 'a sign that begins no escape', '50% off', '50% off'],
      ['header values: percent-decoded once', 'a sign at the end', '100%', '100%'],
      ['header values: percent-decoded once', 'half an escape', '%4', '%4'],
      ['header values: UTF-8 or refused', 'bytes sent as they are', Buffer.from('é€').toString('latin1'), 'é€'],
      ['header values: UTF-8 or refused', 'both ways at once', `${Buffer.from('é').toString('latin1')}%E2%82%AC`, 'é€'],
    ] as const
  ).map(([rule, name, value, subject]) =>
    binary({ 'ce-subject': value }, { rule, name, accepts: { attributes: { subject } } }),
  ),
  ...(
    [
      ['an overlong space', '%C0%A0'],
      ['half a surrogate pair', '%ED%A0%80'],
      ['half a character', '%E2%82'],
      ['Latin-1', 'caf\xe9'],
    ] as const
  ).map(([name, value]) =>
    binary(
      { 'ce-subject': value },
      { rule: 'header values: UTF-8 or refused', name, refuses: `attribute 'subject' is not UTF-8` },
    ),
  ),
  {
    rule: 'header values: the first of a repeated header counts',
    name: 'an attribute of the specification and an extension',
    headers: [
      ...['ce-specversion', '1.0', 'ce-id', 'first', 'ce-source', '/orders', 'ce-type', 'order.created', 'ce-x', ''],
      ...['CE-ID', 'second', 'ce-x', 'second', 'ce-specversion', '2.0'],
    ],
    body: '',
    accepts: { attributes: { id: 'first', x: '', specversion: '1.0' } },
  },
]

const DATA: readonly DecodeCase[] = [
  structured(
    { data: '1', data_base64: '"AA=="' },
    {
      rule: 'data: data and data_base64 exclude each other',
      name: 'both',
      refuses: `attribute 'data_base64' is given beside data`,
    },
  ),
  structured(
    { data: 'null', data_base64: '"AA=="' },
    {
      rule: 'data: data and data_base64 exclude each other',
      name: 'one of them null',
      accepts: { data: Buffer.from([0]) },
    },
  ),
  structured(
    { datacontenttype: '"image/png"', data_base64: '"iVBORw=="' },
    { rule: 'data: base64', name: 'bytes', accepts: { data: Buffer.from([0x89, 0x50, 0x4e, 0x47]) } },
  ),
  structured(
    { data_base64: '"AA=="' },
    {
      rule: 'data: base64',
      name: 'says nothing about its type',
      accepts: { attributes: { datacontenttype: undefined } },
    },
  ),
  structured({ data_base64: '""' }, { rule: 'data: base64', name: 'no bytes, yet data', accepts: { data: '' } }),
  ...(
    [
      ['a number', '1', 'a number, expected a string of base64'],
      ['other characters', '"a*b="', 'expected base64'],
      ['no padding', '"AA"', 'expected base64'],
      ['the URL alphabet', '"-_8="', 'expected base64'],
    ] as const
  ).map(([name, json, refuses]) => structured({ data_base64: json }, { rule: 'data: base64', name, refuses })),
  ...(
    [
      ['an object, its space and its escapes', '{"b" : 1,\t"a":"\\u00e9\\/"  , "b":2}'],
      ['a string, its quotes', '"text"'],
      ['a number, its digits', '1.0000000000000000000001e400'],
      ['brackets and quotes in strings', '[{"a":"}]\\"\\\\"},"é😀"]'],
      ['a literal', 'false'],
    ] as const
  ).map(([name, json]) =>
    structured(
      { datacontenttype: '"application/json"', data: json, subject: '"x"' },
      { rule: 'data: JSON stays as it came', name, accepts: { attributes: { subject: 'x' }, data: json } },
    ),
  ),
  structured(
    { datacontenttype: '"application/vnd.x+JSON; charset=utf-8"', data: '{ }' },
    { rule: 'data: JSON stays as it came', name: 'any +json type', accepts: { data: '{ }' } },
  ),
  structured(
    { datacontenttype: '"text/json"', data: '"x"' },
    { rule: 'data: JSON stays as it came', name: 'any /json type', accepts: { data: '"x"' } },
  ),
  structured(
    { data: '{"a":1}' },
    {
      rule: 'data: without a type it is JSON',
      name: 'and says so from then on',
      accepts: { attributes: { datacontenttype: 'application/json' }, data: '{"a":1}' },
    },
  ),
  structured(
    { datacontenttype: '"text/plain"', data: '"a\\n\\u00e9"' },
    { rule: 'data: another type needs a string', name: 'its content is the data', accepts: { data: 'a\né' } },
  ),
  structured(
    { datacontenttype: '"text/plain"', data: '""' },
    { rule: 'data: another type needs a string', name: 'an empty one is empty data', accepts: { data: '' } },
  ),
  structured(
    { datacontenttype: '"text/plain"', data: '{"a":1}' },
    {
      rule: 'data: another type needs a string',
      name: 'an object',
      refuses: `attribute 'data' is an object, expected a string, since datacontenttype is "text/plain"`,
    },
  ),
  structured(
    { datacontenttype: '"text/plain"', data: '"\\udc00"' },
    { rule: 'data: another type needs a string', name: 'half a surrogate pair', refuses: `attribute 'data' is ` },
  ),
  binary(
    { 'content-type': 'application/json' },
    {
      rule: 'data: a binary body is taken byte for byte, an empty one is none',
      name: 'what only claims to be JSON',
      body: Buffer.from([0, 0xff, 0x7b]),
      accepts: { data: Buffer.from([0, 0xff, 0x7b]) },
    },
  ),
  binary(
    { 'content-type': 'application/json' },
    {
      rule: 'data: a binary body is taken byte for byte, an empty one is none',
      name: 'no body',
      accepts: { attributes: { datacontenttype: 'application/json' }, data: 'none' },
    },
  ),
]

const JSON_TEXT: readonly DecodeCase[] = [
  {
    rule: 'JSON: the order of members does not matter',
    name: 'specversion last, data first',
    headers: STRUCTURED,
    body: '{"data":[1],"type":"order.created","x":true,"source":"/orders","id":"a-1","specversion":"1.0"}',
    accepts: { attributes: { id: 'a-1', x: 'true' }, data: '[1]' },
  },
  ...(['specversion', 'id', 'x', 'data'] as const).map((name): DecodeCase => {
    const twice = `"${name}":"1.0","${name}":"1.0"`
    return {
      rule: 'JSON: repeated members are refused',
      name,
      headers: STRUCTURED,
      body: `{"specversion":"1.0","id":"a-1","source":"/orders","type":"order.created",${twice}}`,
      refuses: `attribute '${name}' is given twice`,
    }
  }),
  {
    rule: 'JSON: repeated members are refused',
    name: 'one of them spelled with an escape',
    headers: STRUCTURED,
    body: '{"specversion":"1.0","\\u0069d":"b","id":"a-1","source":"/orders","type":"order.created"}',
    refuses: `attribute 'id' is given twice`,
  },
  structured(
    { X: '"v"', x: '"w"' },
    { rule: 'JSON: repeated members are refused', name: 'but for their case', refuses: `attribute 'x' is given twice` },
  ),
  ...(
    [
      ['nothing', '', 'the body is not JSON'],
      ['half an object', EVENT.slice(0, -1), 'the body is not JSON'],
      ['something behind the object', `${EVENT}x`, 'the body is not JSON'],
      ['a byte order mark', `\ufeff${EVENT}`, 'the body is not JSON'],
      ['Latin-1', Buffer.from(EVENT.replace('a-1', 'é'), 'latin1'), 'the body is not UTF-8'],
      ['an array', `[${EVENT}]`, 'the event is an array, expected a JSON object'],
      ['null', 'null', 'the event is null'],
      ['a string', '"event"', 'the event is a string'],
    ] as const
  ).map(
    ([name, body, refuses]): DecodeCase => ({
      rule: 'JSON: what is not an object in UTF-8 is refused',
      name,
      headers: STRUCTURED,
      body,
      refuses,
    }),
  ),
]

const OLD_VERSION: readonly DecodeCase[] = [
  binary(
    { 'ce-specversion': '0.3', 'ce-schemaurl': '/order.json' },
    {
      rule: 'version 0.3: passed on as 0.3',
      name: 'binary, with a relative schemaurl',
      accepts: { attributes: { specversion: '0.3', schemaurl: '/order.json' } },
    },
  ),
  binary(
    { 'ce-specversion': '0.3', 'ce-schemaurl': ':x' },
    {
      rule: 'version 0.3: passed on as 0.3',
      name: 'a schemaurl that is none',
      refuses: `attribute 'schemaurl' is ":x"`,
    },
  ),
  structured(
    { specversion: '"0.3"', data: '{"a":1}' },
    {
      rule: 'version 0.3: passed on as 0.3',
      name: 'structured',
      accepts: { attributes: { specversion: '0.3', datacontenttype: 'application/json' }, data: '{"a":1}' },
    },
  ),
  structured(
    { specversion: '"0.3"', data_base64: '"AA=="' },
    { rule: 'version 0.3: passed on as 0.3', name: 'data_base64 is of 1.0', refuses: 'attribute name "data_base64"' },
  ),
  structured(
    { specversion: '"0.3"', datacontenttype: '"text/plain"', datacontentencoding: '"Base64"', data: '"aGk="' },
    {
      rule: 'version 0.3: data in base64 by datacontentencoding',
      name: 'undone, and the attribute with it',
      accepts: { attributes: { datacontentencoding: undefined, datacontenttype: 'text/plain' }, data: 'hi' },
    },
  ),
  structured(
    { specversion: '"0.3"', datacontentencoding: '"base64"', data: '"no base64"' },
    {
      rule: 'version 0.3: data in base64 by datacontentencoding',
      name: 'no base64',
      refuses: `attribute 'data' is 9 characters that are not base64, expected base64`,
    },
  ),
  structured(
    { datacontentencoding: '"base64"', data: '"aGk="' },
    {
      rule: 'version 0.3: data in base64 by datacontentencoding',
      name: 'an extension like any other in 1.0',
      accepts: { attributes: { datacontentencoding: 'base64' }, data: '"aGk="' },
    },
  ),
]

const LIMITS: readonly DecodeCase[] = [
  binary(
    { 'content-type': 'text/plain' },
    {
      rule: 'limits: data, attributes and depth',
      name: 'as much data as allowed',
      body: 'x'.repeat(MAX_EVENT_BYTES),
      accepts: { data: 'x'.repeat(MAX_EVENT_BYTES) },
    },
  ),
  binary(
    { 'content-type': 'text/plain' },
    {
      rule: 'limits: data, attributes and depth',
      name: 'a byte more, binary',
      body: 'x'.repeat(MAX_EVENT_BYTES + 1),
      refuses: `the event's data has 2049 bytes, expected at most 2048`,
    },
  ),
  structured(
    { datacontenttype: '"text/plain"', data: `"${'x'.repeat(MAX_EVENT_BYTES + 1)}"` },
    {
      rule: 'limits: data, attributes and depth',
      name: 'a byte more, structured',
      refuses: `the event's data has 2049 bytes, expected at most 2048`,
    },
  ),
  structured(
    { x: `"${'x'.repeat(33_000)}"` },
    {
      rule: 'limits: data, attributes and depth',
      name: 'attributes that no header could hold',
      refuses: 'expected at most 32768: large values belong in data',
    },
  ),
  structured(
    { data: `${'['.repeat(500_000)}${']'.repeat(500_000)}` },
    { rule: 'limits: data, attributes and depth', name: 'a million brackets', refuses: 'nested too deeply' },
  ),
  structured(
    { data: `${'['.repeat(1_000)}${']'.repeat(1_000)}` },
    { rule: 'limits: data, attributes and depth', name: 'a level too deep', refuses: 'expected at most 1000 levels' },
  ),
  structured(
    { data: `${'['.repeat(999)}${']'.repeat(999)}` },
    {
      rule: 'limits: data, attributes and depth',
      name: 'as deep as allowed',
      accepts: { data: `${'['.repeat(999)}${']'.repeat(999)}` },
    },
  ),
]

export const CASES: readonly DecodeCase[] = [
  ...MODES,
  ...SPECVERSION,
  ...NOT_BLANK,
  ...SOURCE,
  ...SUBJECT,
  ...TIME,
  ...DATACONTENTTYPE,
  ...DATASCHEMA,
  ...NAMES,
  ...VALUES,
  ...HEADER_VALUES,
  ...DATA,
  ...JSON_TEXT,
  ...OLD_VERSION,
  ...LIMITS,
]
