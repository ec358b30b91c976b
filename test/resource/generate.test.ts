import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { crdFilesOf } from '../../src/resource/crd.ts'
import { knownKinds } from '../../src/resource/known-kinds.ts'
import { type Fields, isFields } from '../../src/resource/rules.ts'
import { parseYaml } from '../../src/resource/yaml.ts'

const folder = path.resolve(import.meta.dirname, '../../charts/tidings/templates/crds')
const files = crdFilesOf(knownKinds)
const crdNamed = (name: string) => {
  const file = files.find((each) => each.name === `${name}.yaml`) ?? assert.fail(`no CRD ${name}`)
  return fieldsOf(file.text)
}

describe('the CRD files of the chart', () => {
  it('are what `npm run generate` writes', () => {
    const found = readdirSync(folder).map((name) => ({ name, text: readFileSync(path.join(folder, name), 'utf8') }))

    assert.deepEqual(found.sort(byName), [...files].sort(byName))
  })

  it('are of the kinds of Eventing, each in every group that serves it', () => {
    assert.deepEqual(files.map(({ name }) => name).sort(), [
      'brokers.eventing.knative.dev.yaml',
      'channels.messaging.knative.dev.yaml',
      'cronjobsources.sources.eventing.knative.dev.yaml',
      'cronjobsources.sources.knative.dev.yaml',
      'inmemorychannels.messaging.knative.dev.yaml',
      'kafkachannels.messaging.knative.dev.yaml',
      'pingsources.sources.knative.dev.yaml',
      'subscriptions.messaging.knative.dev.yaml',
      'triggers.eventing.knative.dev.yaml',
    ])
  })

  for (const { name, text } of files) {
    describe(name, () => {
      it('is YAML behind a gate', () => {
        const lines = text.split('\n')

        assert.equal(lines[0], '{{- if .Values.crds.install }}')
        assert.equal(lines.at(-2), '{{- end }}')
        assert.equal(fieldsOf(text)['kind'], 'CustomResourceDefinition')
        assert.doesNotMatch(lines.slice(1, -2).join('\n'), /\{\{/)
      })

      it('has structural schemas, one version stored, and status apart', () => {
        const versions = at(fieldsOf(text), 'spec', 'versions')
        assert.ok(Array.isArray(versions))

        assert.deepEqual(
          versions.map((each) => at(each, 'storage')),
          versions.map((_, i) => i === 0),
        )
        for (const each of versions) {
          assert.deepEqual(at(each, 'subresources'), { status: {} })
          assert.deepEqual(faultsOf(at(each, 'schema', 'openAPIV3Schema'), 'schema'), [])
        }
      })
    })
  }

  it('have names, labels and columns of the kind', () => {
    const crd = crdNamed('inmemorychannels.messaging.knative.dev')

    assert.deepEqual(at(crd, 'metadata'), {
      name: 'inmemorychannels.messaging.knative.dev',
      annotations: { 'helm.sh/resource-policy': 'keep' },
      labels: {
        'knative.dev/crd-install': 'true',
        'messaging.knative.dev/subscribable': 'true',
        'duck.knative.dev/addressable': 'true',
      },
    })
    assert.deepEqual(at(crd, 'spec', 'names'), {
      kind: 'InMemoryChannel',
      listKind: 'InMemoryChannelList',
      plural: 'inmemorychannels',
      singular: 'inmemorychannel',
      shortNames: ['imc'],
      categories: ['all', 'knative', 'messaging', 'channel'],
    })
    assert.deepEqual(columnsOf(crd), ['URL', 'Age', 'Ready', 'Reason'])
  })

  it('deprecate what is not the newest version', () => {
    const versions = at(crdNamed('pingsources.sources.knative.dev'), 'spec', 'versions')

    assert.ok(Array.isArray(versions))
    assert.deepEqual(
      versions.map((each) => [at(each, 'name'), at(each, 'deprecated'), at(each, 'deprecationWarning')]),
      [
        ['v1', undefined, undefined],
        ['v1beta2', true, 'sources.knative.dev/v1beta2 PingSource is deprecated; use sources.knative.dev/v1'],
      ],
    )
  })

  it('keep what upstream keeps without knowing it', () => {
    const trigger = propertiesOf(crdNamed('triggers.eventing.knative.dev'))
    const channel = propertiesOf(crdNamed('channels.messaging.knative.dev'))

    for (const kept of [
      at(trigger, 'status'),
      at(trigger, 'spec', 'properties', 'delivery'),
      at(trigger, 'spec', 'properties', 'filter'),
      at(trigger, 'spec', 'properties', 'filters', 'items'),
      at(channel, 'spec', 'properties', 'channelTemplate', 'properties', 'spec'),
    ]) {
      assert.deepEqual([at(kept, 'type'), at(kept, 'x-kubernetes-preserve-unknown-fields')], ['object', true])
    }
  })

  it('tell what a field is for, and which are needed', () => {
    const spec = at(propertiesOf(crdNamed('subscriptions.messaging.knative.dev')), 'spec')

    assert.deepEqual(at(spec, 'required'), ['channel', 'subscriber'])
    assert.equal(at(spec, 'properties', 'subscriber', 'description'), 'Who gets the events.')
  })
})

/** Without the lines that are Helm's. */
function fieldsOf(text: string): Fields {
  const { documents, problems } = parseYaml(text.replace(/^\{\{.*\}\}$/gm, ''), 'crd')
  assert.deepEqual(problems, [])
  const [first, ...others] = documents
  assert.equal(others.length, 0)
  return isFields(first?.value) ? first.value : assert.fail('no map')
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => (isFields(inner) ? inner[key] : undefined), value)
}

function firstVersionOf(crd: Fields): unknown {
  const versions = at(crd, 'spec', 'versions')
  return Array.isArray(versions) ? versions[0] : undefined
}

function propertiesOf(crd: Fields): unknown {
  return at(firstVersionOf(crd), 'schema', 'openAPIV3Schema', 'properties')
}

function columnsOf(crd: Fields): unknown {
  const columns = at(firstVersionOf(crd), 'additionalPrinterColumns')
  return Array.isArray(columns) ? columns.map((column) => at(column, 'name')) : undefined
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1
}

const ALLOWED = [
  'type',
  'description',
  'properties',
  'required',
  'items',
  'additionalProperties',
  'enum',
  'minimum',
  'maximum',
  'x-kubernetes-preserve-unknown-fields',
]

/** What an API server would refuse: a node without a type, both kinds of properties, a keyword that is not OpenAPI's. */
function faultsOf(schema: unknown, place: string): string[] {
  if (!isFields(schema)) return [`${place} is no map`]
  const { type, properties, additionalProperties, items, description } = schema
  const strange = Object.keys(schema).filter((key) => !ALLOWED.includes(key))
  const isKept = schema['x-kubernetes-preserve-unknown-fields'] === true
  return [
    ...strange.map((key) => `${place} has ${key}`),
    ...(type === undefined && !isKept ? [`${place} has no type`] : []),
    ...(type === 'array' && items === undefined ? [`${place} has no items`] : []),
    ...(properties !== undefined && additionalProperties !== undefined ? [`${place} has both properties`] : []),
    ...(description === '' ? [`${place} has an empty description`] : []),
    ...(items === undefined ? [] : faultsOf(items, `${place}[]`)),
    ...(additionalProperties === undefined ? [] : faultsOf(additionalProperties, `${place}{}`)),
    ...Object.entries(isFields(properties) ? properties : {}).flatMap(([key, field]) =>
      faultsOf(field, `${place}.${key}`),
    ),
  ]
}
