// C32 of the conformance suite: every way to say who one is, against a real Kafka.
import assert from 'node:assert/strict'
import { Kafka as Client, logLevel, type SASLOptions } from 'kafkajs'
import { readAuth } from '../../../src/channel/backends/kafka/auth.ts'
import { makeCertificates } from '../../support/servers/certificates.ts'
import { type Kafka, startKafka } from '../../support/servers/kafka.ts'
import { type AuthListener, PASSWORDS, USER } from '../../support/servers/kafka-auth.ts'
import { itUsing, whenThere } from '../../support/servers/there.ts'

const SERVERS = ['own kafka', 'openssl'] as const

/** Keys of a Secret, as Knative's Kafka extension has them. */
type Secret = Readonly<Record<string, string>>

describe('Kafka asks who is there (C32)', function () {
  this.timeout(120_000)

  const certificates = whenThere(SERVERS, makeCertificates)
  let kafka: Kafka

  before(async () => {
    if (certificates !== undefined) kafka = await startKafka({ certificates })
  })

  after(() => kafka?.[Symbol.asyncDispose]())

  const tls = { 'ca.crt': certificates?.ca ?? '' }
  const client = { 'user.crt': certificates?.client.cert ?? '', 'user.key': certificates?.client.key ?? '' }
  const cases: readonly { readonly title: string; readonly listener: AuthListener; readonly secret: Secret }[] = [
    ...(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const).flatMap((mechanism) => [
      {
        title: mechanism,
        listener: 'sasl' as const,
        secret: login('SASL_PLAINTEXT', mechanism),
      },
      {
        title: `${mechanism} within TLS`,
        listener: 'saslTls' as const,
        secret: { ...login('SASL_SSL', mechanism), ...tls },
      },
    ]),
    { title: 'TLS', listener: 'tls', secret: { protocol: 'SSL', 'user.skip': 'true', ...tls } },
    { title: "a client's certificate", listener: 'mtls', secret: { protocol: 'SSL', ...tls, ...client } },
  ]
  for (const { title, listener, secret } of cases) {
    itUsing(SERVERS, `takes ${title}`, async () => {
      assert.equal((await nodesAt(kafka.at(listener), secret)).length, 1)
    })
  }
})

function login(protocol: string, mechanism: keyof typeof PASSWORDS): Secret {
  return { protocol, 'sasl.mechanism': mechanism, user: USER, password: PASSWORDS[mechanism] }
}

/** The nodes that the cluster tells to who says this of himself. */
async function nodesAt(brokers: readonly string[], secret: Secret): Promise<readonly unknown[]> {
  const get = (key: string): Buffer | undefined => (secret[key] === undefined ? undefined : Buffer.from(secret[key]))
  const auth = readAuth({ name: 'Secret default/kafka', get })
  const sasl = auth.sasl as SASLOptions // kafkajs has a type for each mechanism
  const client = new Client({ brokers: [...brokers], ssl: auth.ssl, sasl, logLevel: logLevel.NOTHING })
  const admin = client.admin()
  await admin.connect()
  const { brokers: nodes } = await admin.describeCluster()
  await admin.disconnect()
  return nodes
}
