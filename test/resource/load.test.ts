import assert from 'node:assert/strict'
import { existsSync, promises as fs } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { type Loaded, loadManifests, loadPaths } from '../../src/resource/load.ts'
import { formatProblem } from '../../src/resource/problems.ts'

const BROKER = 'apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {name: b}\n'
const TRIGGER = `apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: t}
spec: {broker: b, subscriber: {uri: "http://h/"}}
`
const namesOf = ({ resources }: Loaded) => resources.map(({ resource }) => `${resource.kind} ${resource.metadata.name}`)
const problemsOf = ({ problems }: Loaded) => problems.map(formatProblem)
const ofClass = (broker: string, name: string) =>
  broker.replace('name: b', `name: b, annotations: {eventing.knative.dev/broker.class: ${name}}`)

describe('loadManifests', () => {
  it('reads the resources of a text and says where each starts', () => {
    const { resources, problems } = loadManifests(`# broker\n${BROKER}---\n${TRIGGER}`, 'f.yaml')

    assert.deepEqual(
      resources.map(({ resource, place }) => [resource.kind, place]),
      [
        ['Broker', { file: 'f.yaml', line: 2, column: 1 }],
        ['Trigger', { file: 'f.yaml', line: 6, column: 1 }],
      ],
    )
    assert.deepEqual(problems, [])
  })

  it('tells every problem of a text at once, in the order they stand', () => {
    const text = `${TRIGGER.replace('broker: b', 'brokr: b, delivery: {retry: x}')}---\nkind: Broker\n---\na: [\n`

    assert.deepEqual(problemsOf(loadManifests(text, 'f')), [
      'f:4:1 spec.broker: missing field(s)',
      'f:4:8 spec.brokr: unknown field "brokr": known: broker, brokerRef, filter, filters, subscriber, delivery',
      'f:4:29 spec.delivery.retry: invalid value: "x": expected a whole number',
      'f:6:1 apiVersion: missing field(s)',
      'f:9:1 Flow sequence in block collection must be sufficiently indented and end with a ]',
    ])
  })

  it('knows two kinds Service apart', () => {
    const core = 'apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {}\n'
    const serving = 'apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: s}\nspec: {}\n'

    assert.deepEqual(loadManifests(`${core}---\n${serving}`, 'f').problems, [])
  })

  it('lets resources of one name live in two namespaces', () => {
    const other = BROKER.replace('name: b', 'name: b, namespace: n')

    assert.deepEqual(loadManifests(`${BROKER}---\n${other}`, 'f').problems, [])
  })

  it('leaves out a Broker of another class and its Triggers, with a notice', () => {
    const loaded = loadManifests(`${TRIGGER}---\n${ofClass(BROKER, 'Other')}`, 'f')

    assert.deepEqual(namesOf(loaded), [])
    assert.deepEqual(loaded.problems, [])
    assert.deepEqual(loaded.notices.map(formatProblem), [
      'f:1:1 Trigger default/t is left out: Broker default/b is of another class',
      'f:6:1 Broker default/b is left out: its class is Other',
    ])
  })

  for (const name of ['Tidings', 'MTChannelBasedBroker']) {
    it(`takes Brokers of class ${name}`, () => {
      const loaded = loadManifests(`${ofClass(BROKER, name)}---\n${TRIGGER}`, 'f')

      assert.deepEqual(namesOf(loaded), ['Broker b', 'Trigger t'])
      assert.deepEqual(loaded.notices, [])
    })
  }

  it('never throws', () => {
    const word = fc.constantFrom('broker', 'filters', 'exact', 'subscriber', 'uri', 'ref', 'delivery', 'retry', 'name')
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 4 }, fc.jsonValue(), tie('map'), fc.array(tie('value'), { maxLength: 3 })),
      map: fc.dictionary(word, tie('value'), { maxKeys: 4 }),
    }))
    const kind = fc.constantFrom(
      ['eventing.knative.dev/v1', 'Broker'],
      ['eventing.knative.dev/v1', 'Trigger'],
      ['serving.knative.dev/v1', 'Service'],
      ['v1', 'Service'],
    )

    fc.assert(
      fc.property(kind, value, value, ([apiVersion, kind], metadata, spec) => {
        const { resources, problems } = loadManifests(JSON.stringify({ apiVersion, kind, metadata, spec }), 'f')
        assert.ok(resources.length === 1 || problems.length > 0)
      }),
      { numRuns: 500 },
    )
  })
})

describe('loadPaths', () => {
  let folder: string
  beforeEach(async () => {
    folder = await fs.mkdtemp(path.join(os.tmpdir(), 'tidings-load-'))
  })
  afterEach(() => fs.rm(folder, { recursive: true }))

  const write = async (name: string, text: string): Promise<string> => {
    const file = path.join(folder, name)
    await fs.mkdir(path.dirname(file), { recursive: true })
    await fs.writeFile(file, text)
    return file
  }
  const broker = (name: string) => BROKER.replace('name: b', `name: ${name}`)

  it('reads yaml, yml and json files of a folder and those below it, sorted', async () => {
    await write('b.yml', broker('two'))
    await write('a.yaml', broker('one'))
    await write(
      'c/d.json',
      '{"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "metadata": {"name": "three"}}',
    )
    await write('readme.md', 'no manifest')

    const loaded = await loadPaths([folder])

    assert.deepEqual(problemsOf(loaded), [])
    assert.deepEqual(namesOf(loaded), ['Broker one', 'Broker two', 'Broker three'])
  })

  it('leaves out what starts with a dot, unless it is named', async () => {
    await write('.hidden/a.yaml', broker('one'))
    await write('.b.yaml', broker('two'))

    assert.deepEqual(namesOf(await loadPaths([folder])), [])
    assert.deepEqual(namesOf(await loadPaths([path.join(folder, '.hidden')])), ['Broker one'])
  })

  it('reads a named file whatever its extension', async () => {
    const file = await write('broker.txt', broker('one'))

    assert.deepEqual(namesOf(await loadPaths([file])), ['Broker one'])
  })

  it('reads each file once, also when links make a circle', async () => {
    const file = await write('a.yaml', broker('one'))
    await fs.symlink(file, path.join(folder, 'link.yaml'))
    await fs.symlink(folder, path.join(folder, 'circle.yaml'))

    const loaded = await loadPaths([file, folder])

    assert.deepEqual(problemsOf(loaded), [])
    assert.deepEqual(namesOf(loaded), ['Broker one'])
  })

  it('tells what it cannot read and reads the rest', async () => {
    const missing = path.join(folder, 'missing')
    const binary = path.join(folder, 'binary.yaml')
    await fs.writeFile(binary, Buffer.from([0x61, 0xff]))
    await write('ok.yaml', broker('one'))

    const loaded = await loadPaths([missing, folder])

    assert.deepEqual(namesOf(loaded), ['Broker one'])
    assert.deepEqual(problemsOf(loaded), [`${missing}:1:1 no such file or folder`, `${binary}:1:1 expected UTF-8 text`])
  })

  it('refuses a file that is too large without reading it', async () => {
    const file = await write('large.yaml', '')
    await fs.truncate(file, 16_777_217)

    assert.deepEqual(problemsOf(await loadPaths([file])), [`${file}:1:1 expected at most 16777216 bytes in one file`])
  })

  it('names both places of a resource that two files hold', async () => {
    const first = await write('a.yaml', `# one\n${broker('one')}`)
    const second = await write('b.yaml', broker('one'))

    assert.deepEqual(problemsOf(await loadPaths([folder])), [
      `${second}:1:1 metadata.name: Broker default/one stands at ${first}:2:1 already`,
    ])
  })

  it('loads the quickstart', async () => {
    const loaded = await loadPaths(['config/quickstart'])

    assert.deepEqual(problemsOf(loaded), [])
    assert.deepEqual(namesOf(loaded), [
      'Broker default',
      'Service event-display',
      'PingSource heartbeat',
      'Trigger display',
    ])
  })

  it("loads the Trigger of the user's tutorial", async function () {
    const file = path.join('..', 'shared', 'seed', 'manifests', '06-trigger-mon-trigger-github.yaml')
    if (!existsSync(file)) {
      console.log(`      skipped: the tutorial's manifests are not beside this checkout`)
      this.skip()
    }

    const loaded = await loadPaths([file])

    assert.deepEqual(problemsOf(loaded), [])
    assert.deepEqual(namesOf(loaded), ['Trigger mon-trigger-github'])
  })
})
