import assert from 'node:assert/strict'
import { type KafkaAuth, readAuth } from '../../../../src/channel/backends/kafka/auth.ts'
import { EventingError } from '../../../../src/core/errors.ts'
import { CERTIFICATE, KEY, LOCKED_KEY, OLD_FORM_KEY, OTHER_KEY } from './certificates.ts'

type Keys = Readonly<Record<string, string>>

const PASSWORD = 'a very secret password'
const LOGIN = { user: 'u-1', password: PASSWORD }

describe('a Secret with the keys of a cluster', () => {
  it('may ask for neither TLS nor a login', () => {
    assert.deepEqual(read({ protocol: 'PLAINTEXT' }), { ssl: false, id: 'none' })
  })

  it('may ask for a login, by PLAIN unless it says how', () => {
    const { ssl, sasl } = read({ protocol: 'SASL_PLAINTEXT', ...LOGIN })

    assert.equal(ssl, false)
    assert.deepEqual(sasl, { mechanism: 'plain', username: 'u-1', password: PASSWORD })
  })

  for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']) {
    it(`may ask for ${mechanism}`, () => {
      const { sasl } = read({ protocol: 'SASL_SSL', 'sasl.mechanism': mechanism, ...LOGIN })

      assert.equal(sasl?.mechanism, mechanism.toLowerCase())
    })
  }

  it('has every connection with TLS verified', () => {
    const { ssl } = read({ protocol: 'SASL_SSL', ...LOGIN })

    assert.deepEqual(ssl, { minVersion: 'TLSv1.2', rejectUnauthorized: true })
  })

  it('may name who signs, and bring a certificate of its own', () => {
    for (const key of [KEY, OLD_FORM_KEY]) {
      const { ssl, sasl } = read({ protocol: 'SSL', 'ca.crt': CERTIFICATE, 'user.crt': CERTIFICATE, 'user.key': key })

      assert.deepEqual(ssl, {
        ...{ minVersion: 'TLSv1.2', rejectUnauthorized: true },
        ...{ ca: CERTIFICATE, cert: CERTIFICATE, key },
      })
      assert.equal(sasl, undefined)
    }
  })

  it('may say that the cluster asks for no certificate', () => {
    const { ssl } = read({ protocol: 'SSL', 'ca.crt': CERTIFICATE, 'user.skip': 'true' })

    assert.deepEqual(ssl, { minVersion: 'TLSv1.2', rejectUnauthorized: true, ca: CERTIFICATE })
  })

  it('may end its words with a line break, which is no part of them', () => {
    const { sasl } = read({ protocol: 'SASL_PLAINTEXT\n', 'sasl.mechanism': 'SCRAM-SHA-256\n', ...LOGIN })

    assert.equal(sasl?.mechanism, 'scram-sha-256')
  })

  it('is told from another, and gives nothing away by it', () => {
    const ids = [
      read({ protocol: 'SASL_PLAINTEXT', ...LOGIN }),
      read({ protocol: 'SASL_SSL', ...LOGIN }),
      read({ protocol: 'SASL_SSL', ...LOGIN, password: 'another' }),
      read({ protocol: 'SASL_SSL', ...LOGIN, 'ca.crt': CERTIFICATE }),
    ].map(({ id }) => id)

    assert.equal(new Set(ids).size, ids.length)
    assert.equal(read({ protocol: 'SASL_SSL', ...LOGIN }).id, ids[1])
    assert.ok(ids.every((id) => /^[0-9a-f]{64}$/.test(id)))
  })

  describe('of a channel of old', () => {
    const cases: readonly { readonly keys: Keys; readonly protocol: string }[] = [
      { keys: {}, protocol: 'neither' },
      { keys: { username: 'u-1', password: PASSWORD, saslType: 'SCRAM-SHA-256' }, protocol: 'login' },
      { keys: { user: 'u-1', password: PASSWORD, sasltype: 'SCRAM-SHA-256' }, protocol: 'login' },
      { keys: { 'tls.enabled': 'true' }, protocol: 'TLS' },
      { keys: { 'ca.crt': CERTIFICATE }, protocol: 'TLS' },
      {
        keys: { 'ca.crt': CERTIFICATE, username: 'u-1', password: PASSWORD, saslType: 'SCRAM-SHA-256' },
        protocol: 'both',
      },
      { keys: { protocol: 'SASL_SSL', 'sasl.mechanism': 'SCRAM-SHA-256', ...LOGIN }, protocol: 'both' },
    ]

    for (const { keys, protocol } of cases) {
      it(`with ${Object.keys(keys).join(', ') || 'nothing'} asks for ${protocol}`, () => {
        const { ssl, sasl } = readAuth({ ...sourceOf(keys), isLegacy: true })

        assert.equal(ssl !== false, protocol === 'TLS' || protocol === 'both')
        assert.deepEqual(
          sasl,
          protocol === 'login' || protocol === 'both'
            ? { mechanism: 'scram-sha-256', username: 'u-1', password: PASSWORD }
            : undefined,
        )
      })
    }
  })

  describe('is refused', () => {
    const tls = { protocol: 'SSL', 'user.crt': CERTIFICATE, 'user.key': KEY }
    const cases: readonly { readonly what: string; readonly keys: Keys; readonly says: string }[] = [
      {
        what: 'without a protocol',
        keys: LOGIN,
        says: 'key protocol is missing, expected one of PLAINTEXT, SASL_PLAINTEXT, SSL, SASL_SSL',
      },
      {
        what: 'with another protocol',
        keys: { protocol: PASSWORD },
        says: 'key protocol is not a protocol, expected one of PLAINTEXT, SASL_PLAINTEXT, SSL, SASL_SSL',
      },
      {
        what: 'without a user',
        keys: { protocol: 'SASL_SSL', password: PASSWORD },
        says: 'key user is missing, expected a value',
      },
      {
        what: 'with an empty user',
        keys: { protocol: 'SASL_SSL', ...LOGIN, user: '' },
        says: 'key user is empty, expected a value',
      },
      {
        what: 'without a password',
        keys: { protocol: 'SASL_SSL', user: 'u-1' },
        says: 'key password is missing, expected a value',
      },
      {
        what: 'with another mechanism',
        keys: { protocol: 'SASL_SSL', ...LOGIN, 'sasl.mechanism': PASSWORD },
        says: 'key sasl.mechanism is not a mechanism, expected one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512',
      },
      {
        what: 'with OAUTHBEARER',
        keys: { protocol: 'SASL_SSL', 'sasl.mechanism': 'OAUTHBEARER' },
        says: 'key sasl.mechanism is OAUTHBEARER, which is not available in this version, expected one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512',
      },
      {
        what: 'with SSL and no certificate',
        keys: { protocol: 'SSL' },
        says: "key user.crt is missing, expected a certificate in PEM, or user.skip: 'true' where the cluster asks for none",
      },
      {
        what: 'with SSL and no key',
        keys: { protocol: 'SSL', 'user.crt': CERTIFICATE },
        says: "key user.key is missing, expected a private key in PEM, or user.skip: 'true' where the cluster asks for none",
      },
      {
        what: 'with a user.skip that is neither',
        keys: { protocol: 'SSL', 'user.skip': PASSWORD },
        says: "key user.skip is neither, expected 'true' or 'false'",
      },
      {
        what: 'with a ca.crt that is none',
        keys: { ...tls, 'ca.crt': PASSWORD },
        says: 'key ca.crt is not readable, expected certificates in PEM',
      },
      {
        what: 'with a ca.crt that is damaged',
        keys: { ...tls, 'ca.crt': CERTIFICATE.replace('MII', 'MIX') },
        says: 'key ca.crt is not readable, expected certificates in PEM',
      },
      {
        what: 'with a certificate that is none',
        keys: { ...tls, 'user.crt': PASSWORD },
        says: 'key user.crt is not readable, expected certificates in PEM',
      },
      {
        what: 'with a key that is none',
        keys: { ...tls, 'user.key': PASSWORD },
        says: 'key user.key is not readable, expected a private key in PEM, without a passphrase',
      },
      {
        what: 'with a key that has a passphrase',
        keys: { ...tls, 'user.key': LOCKED_KEY },
        says: 'key user.key is not readable, expected a private key in PEM, without a passphrase',
      },
      {
        what: 'with the key of another certificate',
        keys: { ...tls, 'user.key': OTHER_KEY },
        says: 'key user.key is not the key of user.crt, expected the key that belongs to it',
      },
    ]

    for (const { what, keys, says } of cases) {
      it(what, () => {
        assert.throws(
          () => read(keys),
          (error) => {
            assert.ok(error instanceof EventingError)
            assert.equal(error.code, 'MANIFEST_INVALID')
            assert.equal(error.message, `Secret default/kafka: ${says}`)
            return true
          },
        )
      })
    }

    it('without a word of what its values are', () => {
      const asNothing = {
        protocol: 'SASL_SSL',
        ...LOGIN,
        'sasl.mechanism': PASSWORD,
        'ca.crt': PASSWORD,
        'user.skip': PASSWORD,
      }

      assert.throws(
        () => read(asNothing),
        (error) => error instanceof Error && !`${error.stack}${error.cause}`.includes(PASSWORD),
      )
    })
  })
})

function read(keys: Keys): KafkaAuth {
  return readAuth(sourceOf(keys))
}

function sourceOf(keys: Keys) {
  const get = (key: string) => (Object.hasOwn(keys, key) ? Buffer.from(keys[key] as string) : undefined)
  return { name: 'Secret default/kafka', get }
}
