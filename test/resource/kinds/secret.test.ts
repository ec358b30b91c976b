import assert from 'node:assert/strict'
import fc from 'fast-check'
import { secretKind, secretValueOf } from '../../../src/resource/kinds/secret.ts'

const read = (fields: object) =>
  secretKind.read({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, ...fields })

describe('Secret', () => {
  it('keeps text as data, where it wins', () => {
    const reading = read({ data: { a: 'aGk=', b: 'aGk=' }, stringData: { b: 'hé' } })

    assert.equal(reading.kind, 'valid')
    const { resource } = reading
    assert.equal('stringData' in resource, false)
    assert.equal(resource.type, 'Opaque')
    assert.deepEqual(
      ['a', 'b', 'c', 'toString'].map((key) => secretValueOf(resource, key)?.toString()),
      ['hi', 'hé', undefined, undefined],
    )
  })

  it('never says what it holds', () => {
    const secret = 'h!u!s!h'
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        fc.constant(secret),
        fc.array(tie('value'), { maxLength: 2 }),
        fc.dictionary(fc.constantFrom('a', 'b c', '..', 'x'), tie('value'), { maxKeys: 3 }),
      ),
    })).value
    fc.assert(
      fc.property(value, value, (data, stringData) => {
        const reading = read({ data, stringData })

        assert.ok(reading.kind === 'valid' || !JSON.stringify(reading.errors).includes(secret))
      }),
    )
  })
})
