// Ports of a Kafka that ask who is there, and users to be it.
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Certificate, Certificates } from './certificates.ts'

/** `expired`: as `tls`, with a server's certificate whose time is over. `saslTls`: login within TLS. */
export const AUTH_LISTENERS = ['sasl', 'tls', 'mtls', 'saslTls', 'expired'] as const
export type AuthListener = (typeof AUTH_LISTENERS)[number]

/** Known to each mechanism with a password of its own. */
export const USER = 'alice'
export const PASSWORDS = {
  PLAIN: 'plain-secret-1',
  'SCRAM-SHA-256': 'scram-secret-256',
  'SCRAM-SHA-512': 'scram-secret-512',
} as const

/** For Kafka's storage tool, which keeps them. */
export const SCRAM_USERS: readonly string[] = (['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const).map(
  (mechanism) => `${mechanism}=[name=${USER},password=${PASSWORDS[mechanism]}]`,
)

const PROTOCOLS: { readonly [listener in AuthListener]: 'SASL_PLAINTEXT' | 'SSL' | 'SASL_SSL' } = {
  sasl: 'SASL_PLAINTEXT',
  tls: 'SSL',
  mtls: 'SSL',
  saslTls: 'SASL_SSL',
  expired: 'SSL',
}

/** Lines of `server.properties`; the stores they name are written to `folder`. */
export function authProperties(folder: string, certificates: Certificates): Readonly<Record<string, string>> {
  mkdirSync(folder, { recursive: true })
  const ca = path.join(folder, 'ca.pem')
  writeFileSync(ca, certificates.ca)
  const server = writeStore(folder, 'server.pem', certificates.server)
  const expired = writeStore(folder, 'expired.pem', certificates.expiredServer)
  const protocols = AUTH_LISTENERS.map((listener) => `${listener.toUpperCase()}:${PROTOCOLS[listener]}`)
  return {
    'listener.security.protocol.map': ['PLAINTEXT:PLAINTEXT', 'CONTROLLER:PLAINTEXT', ...protocols].join(','),
    'sasl.enabled.mechanisms': Object.keys(PASSWORDS).join(','),
    ...loginsOf('sasl'),
    ...loginsOf('saslTls'),
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': server,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': ca,
    'listener.name.mtls.ssl.client.auth': 'required',
    'listener.name.expired.ssl.keystore.type': 'PEM',
    'listener.name.expired.ssl.keystore.location': expired,
  }
}

function writeStore(folder: string, name: string, { key, cert }: Certificate): string {
  const file = path.join(folder, name)
  writeFileSync(file, key + cert)
  return file
}

function loginsOf(listener: AuthListener): Readonly<Record<string, string>> {
  const module = 'org.apache.kafka.common.security'
  const prefix = `listener.name.${listener.toLowerCase()}`
  const scram = `${module}.scram.ScramLoginModule required;`
  return {
    [`${prefix}.plain.sasl.jaas.config`]: `${module}.plain.PlainLoginModule required user_${USER}="${PASSWORDS.PLAIN}";`,
    [`${prefix}.scram-sha-256.sasl.jaas.config`]: scram,
    [`${prefix}.scram-sha-512.sasl.jaas.config`]: scram,
  }
}
