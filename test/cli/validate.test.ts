import assert from 'node:assert/strict'
import { promises as fs } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { run } from '../support/command.ts'

const CHANNEL = 'apiVersion: messaging.knative.dev/v1\nkind: Channel\nmetadata: {name: c}\n'
const BROKER = 'apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {name: b}\n'

describe('tidings validate', () => {
  let folder: string

  beforeEach(async () => {
    folder = await fs.mkdtemp(path.join(os.tmpdir(), 'tidings-validate-'))
  })

  afterEach(() => fs.rm(folder, { recursive: true }))

  const write = async (name: string, text: string) => {
    const file = path.join(folder, name)
    await fs.writeFile(file, text)
    return file
  }

  it('counts what is valid', async () => {
    const one = await write('one.yaml', CHANNEL)
    const two = await write('two.yaml', `${BROKER}---\n${CHANNEL.replace('name: c', 'name: d')}`)

    assert.deepEqual(await run(['validate', '-f', one]), { code: 0, out: '1 resource is valid\n', err: '' })
    assert.deepEqual(await run(['validate', '-f', one, '-f', two]), {
      code: 0,
      out: '3 resources are valid\n',
      err: '',
    })
  })

  it('tells all problems of all files, one a line', async () => {
    const first = await write('1.yaml', 'spec: {}\n')
    const second = await write('2.yaml', `${CHANNEL}spec:\n  channelTemplates: {}\n  delivery: {retry: x}\n`)
    await write('3.yaml', BROKER)

    assert.deepEqual(await run(['validate', '-f', folder]), {
      code: 1,
      out: [
        `${first}:1:1 apiVersion: missing field(s)`,
        `${first}:1:1 kind: missing field(s)`,
        `${second}:5:3 spec.channelTemplates: unknown field "channelTemplates": known: channelTemplate, delivery, subscribers`,
        `${second}:6:14 spec.delivery.retry: invalid value: "x": expected a whole number`,
        '',
      ].join('\n'),
      err: '',
    })
  })

  it('says on one line what has line ends and control characters in its keys', async () => {
    const file = await write('a.yaml', `${CHANNEL}"a\\nb\\e[2J": 1\n`)

    const { code, out } = await run(['validate', '-f', file])

    assert.equal(code, 1)
    assert.equal(out.split('\n').length, 2)
    assert.ok(!out.includes('\u001b'))
  })

  it('says which path does not exist, and looks at the others all the same', async () => {
    const broken = await write('a.yaml', 'a: [\n')
    const absent = path.join(folder, 'absent.yaml')

    const { code, out } = await run(['validate', '-f', absent, '-f', broken])

    assert.equal(code, 1)
    const [first = '', second = ''] = out.split('\n')
    assert.equal(first, `${absent}:1:1 no such file or folder`)
    assert.ok(second.startsWith(`${broken}:2:1 `))
  })

  it("counts Brokers of another class, and says that they are another's", async () => {
    const metadata = 'metadata: {name: b, annotations: {eventing.knative.dev/broker.class: Other}}'
    const file = await write('a.yaml', BROKER.replace('metadata: {name: b}', metadata))

    assert.deepEqual(await run(['validate', '-f', file]), {
      code: 0,
      out: '1 resource is valid\n',
      err: `${file}:1:1 Broker default/b is left out: its class is Other\n`,
    })
  })

  it('does not take nothing for valid', async () => {
    const file = await write('notes.yaml', '# nothing yet\n')

    assert.deepEqual(await run(['validate', '-f', file]), {
      code: 1,
      out: '',
      err: `no resources in ${file}: expected .yaml, .yml or .json files\n`,
    })
  })

  it('asks for a path', async () => {
    assert.deepEqual(await run(['validate']), {
      code: 1,
      out: '',
      err: 'tidings validate: expected what to check: tidings validate -f PATH\n',
    })
  })
})
