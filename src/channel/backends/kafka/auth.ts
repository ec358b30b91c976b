// How to connect to a cluster, as a Secret with the keys of Knative's Kafka extension says. Values never get into a
// message: whoever mistakes one key for another would publish a password.
// @see eventing-kafka-broker, control-plane/pkg/security/secret.go
import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { ConnectionOptions } from 'node:tls'
import { EventingError } from '../../../core/errors.ts'

export interface KafkaAuth {
  /** Always verified; false only where the protocol has no TLS. */
  readonly ssl: ConnectionOptions | false
  readonly sasl?: KafkaLogin
  /** Tells apart what differs, and tells nothing of it. */
  readonly id: string
}

export interface KafkaLogin {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}

export interface AuthSource {
  /** For people, such as `Secret default/kafka`. */
  readonly name: string
  /** The bytes of a key. */
  get(key: string): Buffer | undefined
  /** As channels of old have it: the protocol follows from what is there, and keys have other names, too. */
  readonly isLegacy?: boolean
}

export const NO_AUTH: KafkaAuth = { ssl: false, id: 'none' }

const PROTOCOLS = ['PLAINTEXT', 'SASL_PLAINTEXT', 'SSL', 'SASL_SSL'] as const
type Protocol = (typeof PROTOCOLS)[number]

const MECHANISMS: ReadonlyMap<string, KafkaLogin['mechanism']> = new Map([
  ['PLAIN', 'plain'],
  ['SCRAM-SHA-256', 'scram-sha-256'],
  ['SCRAM-SHA-512', 'scram-sha-512'],
])

const TRUE = ['1', 't', 'T', 'TRUE', 'true', 'True']
const FALSE = ['0', 'f', 'F', 'FALSE', 'false', 'False']

/** Throws MANIFEST_INVALID with the source and the key that is wrong. */
export function readAuth(source: AuthSource): KafkaAuth {
  const protocol = protocolOf(source)
  const isTls = protocol === 'SSL' || protocol === 'SASL_SSL'
  const ssl = isTls && tlsOf(source, protocol)
  const sasl = protocol.startsWith('SASL_') ? loginOf(source) : undefined
  const said = JSON.stringify([protocol, ssl && [ssl.ca, ssl.cert, ssl.key], sasl])
  const id = protocol === 'PLAINTEXT' ? NO_AUTH.id : createHash('sha256').update(said).digest('hex')
  return { ssl, ...(sasl && { sasl }), id }
}

function protocolOf(source: AuthSource): Protocol {
  const given = wordOf(source, 'protocol')
  if (given === undefined && source.isLegacy) return legacyProtocolOf(source)
  if (given === undefined) throw wrong(source, 'protocol', 'missing', `one of ${PROTOCOLS.join(', ')}`)
  const protocol = PROTOCOLS.find((known) => known === given)
  if (protocol === undefined) throw wrong(source, 'protocol', 'not a protocol', `one of ${PROTOCOLS.join(', ')}`)
  return protocol
}

function legacyProtocolOf(source: AuthSource): Protocol {
  const hasLogin = has(source, 'password') && (has(source, 'user') || has(source, 'username'))
  const hasTls = has(source, 'ca.crt') || isTrue(source, 'tls.enabled')
  if (hasTls) return hasLogin ? 'SASL_SSL' : 'SSL'
  return hasLogin ? 'SASL_PLAINTEXT' : 'PLAINTEXT'
}

function loginOf(source: AuthSource): KafkaLogin {
  const [userKey, mechanismKey] = source.isLegacy
    ? [firstOf(source, ['user', 'username']), firstOf(source, ['saslType', 'sasltype', 'sasl.mechanism'])]
    : ['user', 'sasl.mechanism']
  const mechanism = mechanismOf(source, mechanismKey)
  return { mechanism, username: needed(source, userKey), password: needed(source, 'password') }
}

function mechanismOf(source: AuthSource, key: string): KafkaLogin['mechanism'] {
  const given = wordOf(source, key) ?? 'PLAIN'
  const expected = [...MECHANISMS.keys()].join(', ')
  if (given === 'OAUTHBEARER') {
    throw wrong(source, key, 'OAUTHBEARER, which is not available in this version', `one of ${expected}`)
  }
  const mechanism = MECHANISMS.get(given)
  if (mechanism === undefined) throw wrong(source, key, 'not a mechanism', `one of ${expected}`)
  return mechanism
}

/** Without `ca.crt` the certificate authorities of the system count. */
function tlsOf(source: AuthSource, protocol: Protocol): ConnectionOptions {
  const ca = source.get('ca.crt')
  if (ca !== undefined) certificatesOf(source, 'ca.crt', ca)
  return {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    ...(ca !== undefined && { ca: ca.toString() }),
    ...clientCertificateOf(source, protocol),
  }
}

/** With SSL alone it is how the client says who it is; with SASL_SSL it may come beside the login. */
function clientCertificateOf(source: AuthSource, protocol: Protocol): Pick<ConnectionOptions, 'cert' | 'key'> {
  if (isTrue(source, 'user.skip')) return {}
  const isThere = has(source, 'user.crt') || has(source, 'user.key')
  const mayBeLeftOut = protocol === 'SASL_SSL' || source.isLegacy === true
  if (!isThere && mayBeLeftOut) return {}
  const hint = mayBeLeftOut ? '' : `, or user.skip: 'true' where the cluster asks for none`
  const cert = needed(source, 'user.crt', `a certificate in PEM${hint}`)
  const key = needed(source, 'user.key', `a private key in PEM${hint}`)
  const [own] = certificatesOf(source, 'user.crt', Buffer.from(cert))
  if (!own.checkPrivateKey(privateKeyOf(source, key))) {
    throw wrong(source, 'user.key', 'not the key of user.crt', 'the key that belongs to it')
  }
  return { cert, key }
}

function certificatesOf(
  source: AuthSource,
  key: string,
  value: Buffer,
): readonly [X509Certificate, ...X509Certificate[]] {
  const blocks = value.toString().match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  try {
    const [first, ...others] = blocks.map((block) => new X509Certificate(block))
    if (first) return [first, ...others]
  } catch {
    // What the parser says may quote what it was given.
  }
  throw wrong(source, key, 'not readable', 'certificates in PEM')
}

function privateKeyOf(source: AuthSource, key: string): KeyObject {
  try {
    return createPrivateKey(key)
  } catch {
    throw wrong(source, 'user.key', 'not readable', 'a private key in PEM, without a passphrase')
  }
}

function isTrue(source: AuthSource, key: string): boolean {
  const value = wordOf(source, key)
  if (value === undefined || FALSE.includes(value)) return false
  if (TRUE.includes(value)) return true
  throw wrong(source, key, 'neither', "'true' or 'false'")
}

/** A word that is one of a few: a line break behind it, as editors leave it, is no part of it. */
function wordOf(source: AuthSource, key: string): string | undefined {
  return source.get(key)?.toString().trim()
}

function has(source: AuthSource, key: string): boolean {
  return (source.get(key)?.length ?? 0) > 0
}

/** The first that is there, else the first. */
function firstOf(source: AuthSource, keys: readonly [string, ...string[]]): string {
  return keys.find((key) => has(source, key)) ?? keys[0]
}

function needed(source: AuthSource, key: string, expected = 'a value'): string {
  const value = source.get(key)
  if (value === undefined) throw wrong(source, key, 'missing', expected)
  if (value.length === 0) throw wrong(source, key, 'empty', expected)
  return value.toString()
}

function wrong({ name }: AuthSource, key: string, found: string, expected: string): EventingError {
  return new EventingError('MANIFEST_INVALID', `${name}: key ${key} is ${found}, expected ${expected}`)
}
