// Tests that need a server: they run where it is there, are pending with the reason where it is not, and fail with the
// reason where REQUIRE_SERVERS names it.
import assert from 'node:assert/strict'
import { hasKafkaJars, isOnPath } from './cache.ts'

/** `kafka`: any Kafka, also that of KAFKA_BROKERS. `own kafka`: one that is started here, to be killed and configured. */
export type Server = 'kafka' | 'own kafka' | 'kcat' | 'openssl'

const HINT = 'npm run setup:servers fetches it'

const REASON_AGAINST: { readonly [server in Server]: () => string | undefined } = {
  kafka: () => (process.env['KAFKA_BROKERS'] ? undefined : reasonAgainst('own kafka')),
  'own kafka': () => {
    if (!isOnPath('java')) return 'no Java'
    return hasKafkaJars() ? undefined : `no Kafka: ${HINT}`
  },
  kcat: () => (isOnPath('kcat') ? undefined : `no kcat: ${HINT}`),
  openssl: () => (isOnPath('openssl') ? undefined : 'no openssl'),
}

/** Why tests cannot use it here; undefined when they can. */
export function reasonAgainst(server: Server): string | undefined {
  return REASON_AGAINST[server]()
}

/** As REQUIRE_SERVERS names them: `kafka,kcat`. */
export function isRequired(server: Server): boolean {
  const named = (process.env['REQUIRE_SERVERS'] ?? '').split(',').map((name) => name.trim())
  return named.includes(server === 'own kafka' ? 'kafka' : server)
}

/** `it` where all the servers are there. */
export function itUsing(servers: readonly Server[], title: string, body: Mocha.AsyncFunc): void {
  const missing = servers.flatMap((server) => {
    const reason = reasonAgainst(server)
    return reason === undefined ? [] : [{ server, reason }]
  })
  const reasons = [...new Set(missing.map(({ reason }) => reason))].join('; ')
  if (missing.length === 0) it(title, body)
  else if (missing.some(({ server }) => isRequired(server))) it(title, () => assert.fail(`REQUIRE_SERVERS: ${reasons}`))
  else it.skip(`${title} [skipped: ${reasons}]`)
}

/** What tests of a file share, made only where all the servers are there. */
export function whenThere<T>(servers: readonly Server[], make: () => T): T | undefined {
  return servers.every((server) => reasonAgainst(server) === undefined) ? make() : undefined
}
