import assert from 'node:assert/strict'
import { isTopicName, templateProblem, topicNameOf } from '../../src/runtime/topic-name.ts'

const OWNER = { Namespace: 'shop', Name: 'orders', UID: 'u-1' }

describe('the name of a topic', () => {
  it('is made from a template as upstream writes it', () => {
    assert.equal(topicNameOf('knative-broker-{{ .Namespace }}-{{ .Name }}', OWNER), 'knative-broker-shop-orders')
    assert.equal(topicNameOf('a.{{.UID}}.{{- .Name -}}', OWNER), 'a.u-1.orders')
  })

  it('has at most 249 letters, digits, dots, underscores and dashes', () => {
    const names = ['a', 'A_b-c.9', 'a'.repeat(249)]
    const others = ['', '.', '..', 'a b', 'é', 'a/b', 'a'.repeat(250)]

    assert.deepEqual(names.map(isTopicName), [true, true, true])
    assert.deepEqual(others.filter(isTopicName), [])
  })

  it('is made by no template that gives two resources one name', () => {
    assert.equal(templateProblem('{{ .Namespace }}.{{ .Name }}'), undefined)
    assert.equal(templateProblem('{{ .UID }}'), undefined)
    for (const template of ['a', '{{ .Name }}', '{{ .Namespace }}']) {
      assert.match(templateProblem(template) ?? '', /no two may share a topic/)
    }
  })
})
