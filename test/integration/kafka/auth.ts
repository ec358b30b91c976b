// Every way to say to Kafka who one is, as a Secret has it, and what happens to who says it wrong.
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { readAuth } from '../../../src/channel/backends/kafka/auth.ts'
import { createClock } from '../../../src/core/clock.ts'
import { makeCertificates } from '../../support/servers/certificates.ts'
import { type Kafka, startKafka } from '../../support/servers/kafka.ts'
import { type AuthListener, PASSWORDS, USER } from '../../support/servers/kafka-auth.ts'
import { startProxy } from '../../support/servers/proxy.ts'
import { itUsing, whenThere } from '../../support/servers/there.ts'
import { openRig, openStore } from './rig.ts'

const SERVERS = ['own kafka', 'openssl'] as const
/** Who is refused does not come again by itself; so long it is watched. */
const CALM_MS = 1_000

/** Keys of a Secret, as Knative's Kafka extension has them. */
type Secret = Readonly<Record<string, string>>

interface Case {
  readonly title: string
  readonly listener: AuthListener
  readonly secret: Secret
}

export function describeAuth(): void {
  describe('a Kafka that asks who is there', function () {
    this.timeout(120_000)

    const certificates = whenThere(SERVERS, makeCertificates)
    let kafka: Kafka

    before(async () => {
      if (certificates !== undefined) kafka = await startKafka({ certificates })
    })

    after(() => kafka?.[Symbol.asyncDispose]())

    const tls = { protocol: 'SSL', 'ca.crt': certificates?.ca ?? '' }
    const server = { ...tls, 'user.skip': 'true' }
    const client = { ...tls, ...pair(certificates?.client) }
    const mechanisms = Object.keys(PASSWORDS) as (keyof typeof PASSWORDS)[]

    const taken: readonly Case[] = [
      ...mechanisms.map((mechanism): Case => ({ title: mechanism, listener: 'sasl', secret: login(mechanism) })),
      ...mechanisms.map((mechanism): Case => {
        const secret = { ...login(mechanism), 'ca.crt': tls['ca.crt'], protocol: 'SASL_SSL' }
        return { title: `${mechanism} within TLS`, listener: 'saslTls', secret }
      }),
      { title: 'TLS', listener: 'tls', secret: server },
      { title: "a client's certificate", listener: 'mtls', secret: client },
    ]
    for (const { title, listener, secret } of taken) {
      itUsing(SERVERS, `C32 takes ${title}`, async () => {
        await using rig = await openRig(kafka.at(listener), { auth: authOf(secret) })

        assert.equal((await rig.log.lanes()).length, rig.topic.partitions)
      })
    }

    const refused: readonly Case[] = [
      ...mechanisms.map((mechanism): Case => {
        const secret = { ...login(mechanism), password: 'wrong-secret' }
        return { title: `a wrong password for ${mechanism}`, listener: 'sasl', secret }
      }),
      { title: 'a user it does not know', listener: 'sasl', secret: { ...login('SCRAM-SHA-512'), user: 'nobody' } },
      { title: 'no certificate', listener: 'mtls', secret: server },
      {
        title: 'an expired certificate',
        listener: 'mtls',
        secret: { ...tls, ...pair(certificates?.expiredClient) },
      },
      { title: 'nobody, when its own certificate expired', listener: 'expired', secret: server },
      {
        title: 'nobody, when its authority is unknown',
        listener: 'tls',
        secret: { ...server, 'ca.crt': certificates?.otherCa ?? '' },
      },
    ]
    for (const { title, listener, secret } of refused) {
      itUsing(SERVERS, `C32 refuses ${title}: AUTH_FAILED, once, and no secret is told`, async () => {
        const [address = ''] = kafka.at(listener)
        await using proxy = await startProxy(address)

        const error = await openStore([proxy.address], { auth: authOf(secret) }).catch((thrown: unknown) => thrown)

        assert.equal((error as { code?: string }).code, 'AUTH_FAILED', String(error))
        const tries = proxy.connections()
        assert.ok(tries <= 2, `${tries} connections`)
        await createClock().sleep(CALM_MS)
        assert.equal(proxy.connections(), tries)
        const told = textOf(error)
        for (const value of [secret['password'], secret['user.key']]) {
          if (value !== undefined) assert.ok(!told.includes(value), told)
        }
      })
    }
  })
}

function login(mechanism: keyof typeof PASSWORDS): Secret {
  return { protocol: 'SASL_PLAINTEXT', 'sasl.mechanism': mechanism, user: USER, password: PASSWORDS[mechanism] }
}

function pair(certificate: { readonly cert: string; readonly key: string } | undefined): Secret {
  return { 'user.crt': certificate?.cert ?? '', 'user.key': certificate?.key ?? '' }
}

function authOf(secret: Secret): ReturnType<typeof readAuth> {
  const get = (key: string): Buffer | undefined => (secret[key] === undefined ? undefined : Buffer.from(secret[key]))
  return readAuth({ name: 'Secret default/kafka', get })
}

/** All that a log could show of an error: with its stack, its fields, and those of its causes. */
function textOf(error: unknown): string {
  return inspect(error, { depth: 10, showHidden: true })
}
