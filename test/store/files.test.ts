import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createClock } from '../../src/core/clock.ts'
import { createLogger } from '../../src/observe/logger.ts'
import { loadManifests } from '../../src/resource/load.ts'
import { type Files, openFiles } from '../../src/store/files.ts'
import { BUILT_IN, createResourceStore, type ResourceStore } from '../../src/store/resource-store.ts'
import { eventually } from '../support/eventually.ts'
import { aTrigger } from '../support/runtime.ts'

const BROKEN = 'apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: a}\nspec: {}\n'

describe('manifests that are followed', () => {
  let folder: string
  let store: ResourceStore
  let files: Files | undefined
  let logged: Record<string, unknown>[]

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tidings-files-'))
    store = createResourceStore(Date.now)
    logged = []
  })
  afterEach(async () => {
    await files?.close()
    files = undefined
    await rm(folder, { recursive: true })
  })

  const at = (name: string): string => path.join(folder, name)
  const open = (paths: readonly string[] = [folder]) => {
    const logger = createLogger('info', { write: (line: string) => void logged.push(JSON.parse(line)) })
    return openFiles({ paths, store, clock: createClock(), logger })
  }
  const follow = async (paths?: readonly string[]): Promise<void> => {
    const first = await open(paths)
    assert.ok(first.kind === 'loaded')
    files = first.follow()
  }
  const names = (): string[] => [...store.list()].map(({ resource }) => resource.metadata.name).sort()
  const uriOf = (name: string): unknown => {
    const found = [...store.list()].find(({ resource }) => resource.metadata.name === name)?.resource
    return found?.kind === 'Trigger' && found.apiVersion === 'eventing.knative.dev/v1'
      ? found.spec.subscriber.uri
      : undefined
  }

  it('are applied at once, with where they stand', async () => {
    await writeFile(at('a.yaml'), aTrigger('a', 'http://a') + aTrigger('b', 'http://b'))

    const first = await open()

    assert.equal(first.kind, 'loaded')
    assert.deepEqual(
      [...store.list()].map(({ origin }) => origin),
      [`${at('a.yaml')}:2`, `${at('a.yaml')}:11`],
    )
  })

  it('apply nothing at the start when any of them is wrong, and tell everything', async () => {
    await writeFile(at('a.yaml'), aTrigger('a', 'http://a'))
    await writeFile(at('b.yaml'), BROKEN)

    const first = await open([folder, at('none')])

    assert.ok(first.kind === 'refused')
    assert.deepEqual(
      first.problems.map(({ message }) => message),
      ['no such file or folder', 'missing field(s)', 'missing field(s)'],
    )
    assert.deepEqual(names(), [])
  })

  it('are taken up when they appear, also in a new folder', async () => {
    await follow()

    await writeFile(at('a.yaml'), aTrigger('a', 'http://a'))
    await mkdir(at('more'))
    await writeFile(at('more/b.yaml'), aTrigger('b', 'http://b'))

    await eventually(() => names().join() === 'a,b', 'both are there')
  })

  it('are read again when they change, whether written or renamed into place', async () => {
    await writeFile(at('a.yaml'), aTrigger('a', 'http://1'))
    await follow()
    const uid = [...store.list()][0]?.resource.metadata.uid

    await writeFile(at('a.yaml'), aTrigger('a', 'http://2'))
    await eventually(() => uriOf('a') === 'http://2', 'written')
    await writeFile(at('.a.yaml.tmp'), aTrigger('a', 'http://3'))
    await rename(at('.a.yaml.tmp'), at('a.yaml'))
    await eventually(() => uriOf('a') === 'http://3', 'renamed')

    assert.equal([...store.list()][0]?.resource.metadata.uid, uid)
  })

  it('keep their last good version while a save is broken, and say so once', async () => {
    await writeFile(at('a.yaml'), aTrigger('a', 'http://1'))
    await follow()

    await writeFile(at('a.yaml'), BROKEN)
    await eventually(() => files?.problems().length === 2, 'it was seen')
    await files?.look()
    assert.equal(uriOf('a'), 'http://1')
    assert.equal(logged.length, 2)
    assert.match(
      String(logged[0]?.['msg']),
      /a\.yaml:4:\d+ spec\.\w+: missing field\(s\); what was applied before stays/,
    )

    await writeFile(at('a.yaml'), aTrigger('a', 'http://2'))
    await eventually(() => uriOf('a') === 'http://2', 'mended')
    assert.deepEqual(files?.problems(), [])
  })

  it('count as deleted only when they have been gone for two seconds', async () => {
    await writeFile(at('a.yaml'), aTrigger('a', 'http://1'))
    await writeFile(at('b.yaml'), aTrigger('b', 'http://1'))
    await follow()
    const since = performance.now()

    await rm(at('a.yaml'))
    await rm(at('b.yaml'))
    await files?.look()
    await writeFile(at('b.yaml'), aTrigger('b', 'http://2'))
    await eventually(() => names().join() === 'b', 'a is deleted')

    assert.ok(performance.now() - since >= 2_000)
    assert.equal(uriOf('b'), 'http://2')
  })

  it('lose what is taken out of a file in the same way', async () => {
    await writeFile(at('a.yaml'), aTrigger('a', 'http://1') + aTrigger('b', 'http://1'))
    await follow()

    await writeFile(at('a.yaml'), aTrigger('b', 'http://1'))

    await eventually(() => names().join() === 'b', 'a is deleted')
  })

  it('leave a resource where it stood when a second file brings it too', async () => {
    await writeFile(at('b.yaml'), aTrigger('a', 'http://1'))
    await follow()

    await writeFile(at('a.yaml'), aTrigger('a', 'http://2'))
    await eventually(() => files?.problems().length === 1, 'it was seen')

    assert.match(String(files?.problems()[0]?.message), /stands at .* already/)
    assert.equal(uriOf('a'), 'http://1')
  })

  it('are not read while they are being written: half a manifest may be one of another meaning', async () => {
    const filter = '  filter:\n    attributes:\n      type: a\n'
    await writeFile(at('a.yaml'), aTrigger('a', 'http://1', filter))
    await follow()
    const filters: unknown[] = []
    store.onChange(({ entry: { resource } }) => {
      if (resource.kind === 'Trigger') filters.push(resource.spec['filter'])
    })

    await writeFile(at('a.yaml'), aTrigger('a', 'http://2'))
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      await appendFile(at('a.yaml'), i === 0 ? filter : '# more\n')
    }
    await eventually(() => uriOf('a') === 'http://2', 'it is read in the end')

    assert.deepEqual(filters, [{ attributes: { type: 'a' } }])
  })

  it('are read in the end though they are written all the time', async () => {
    await follow()
    let i = 0
    const writing = setInterval(() => void writeFile(at('a.yaml'), aTrigger('a', `http://${++i}`)), 50)

    await eventually(() => names().join() === 'a', 'it is there')
    clearInterval(writing)

    await eventually(() => uriOf('a') === `http://${i}`, 'the last one is there')
  })

  it('keep their last good version when they vanish for a moment and come back broken', async () => {
    await writeFile(at('a.yaml'), aTrigger('a', 'http://1'))
    await follow()

    await rm(at('a.yaml'))
    await files?.look()
    await writeFile(at('a.yaml'), BROKEN)
    await eventually(() => files?.problems().length === 2, 'it was seen')
    const later = performance.now() + 2_100
    await eventually(() => performance.now() > later, 'they would be deleted')
    await files?.look()

    assert.equal(uriOf('a'), 'http://1')
  })

  it('stay as they are where nobody can tell whether they are there, and that is told', async () => {
    await mkdir(at('more'))
    await writeFile(at('more/a.yaml'), aTrigger('a', 'http://1'))
    await writeFile(at('b.yaml'), aTrigger('b', 'http://1'))
    await follow([at('more'), at('b.yaml')])

    await rename(at('more'), at('.away'))
    await symlink('more', at('more')) // a link that leads to itself cannot be followed
    await rm(at('b.yaml'))
    await eventually(() => names().join() === 'a', 'b is deleted')

    assert.match(String(files?.problems()[0]?.message), /ELOOP/)
    assert.ok(logged.some(({ msg }) => /ELOOP.*; what was applied before stays$/.test(String(msg))))
    await rm(at('more'))
    await rename(at('.away'), at('more'))
    await writeFile(at('b.yaml'), aTrigger('b', 'http://2'))
    await files?.look()
    assert.deepEqual(files?.problems(), [])
    assert.deepEqual(names(), ['a', 'b'])
  })

  it('are told to be gone when they were named', async () => {
    await writeFile(at('a.yaml'), aTrigger('a', 'http://1'))
    await follow([at('a.yaml')])

    await rm(at('a.yaml'))
    await eventually(() => names().length === 0, 'it is deleted')

    assert.deepEqual(
      logged.map(({ msg }) => msg),
      [`${at('a.yaml')}:1:1 no such file or folder; what stood in it is deleted`],
    )
  })

  it('keep their last good version while one resource stands in them twice', async () => {
    await writeFile(at('a.yaml'), aTrigger('a', 'http://1'))
    await follow()

    await writeFile(at('a.yaml'), aTrigger('a', 'http://2') + aTrigger('a', 'http://3'))
    await eventually(() => files?.problems().length === 1, 'it was seen')

    assert.equal(uriOf('a'), 'http://1')
  })

  it('change nothing when a resource stands a few lines lower, but for where it stands', async () => {
    await writeFile(at('a.yaml'), aTrigger('a', 'http://1'))
    await follow()
    const { version } = store

    await writeFile(at('a.yaml'), `# why\n${aTrigger('a', 'http://1')}`)
    await eventually(() => [...store.list()][0]?.origin === `${at('a.yaml')}:3`, 'it was read')

    assert.equal(store.version, version)
  })

  it('are followed where Kubernetes mounts a ConfigMap: links into a folder that is replaced as a whole', async () => {
    const mount = async (version: string, uri: string): Promise<void> => {
      await mkdir(at(version))
      await writeFile(at(`${version}/a.yaml`), aTrigger('a', uri))
      await symlink(version, at('..new'))
      await rename(at('..new'), at('..data'))
    }
    await mount('..1', 'http://1')
    await symlink('..data/a.yaml', at('a.yaml'))
    await follow()
    assert.equal(uriOf('a'), 'http://1')

    await mount('..2', 'http://2')
    await rm(at('..1'), { recursive: true })

    await eventually(() => uriOf('a') === 'http://2', 'it is read')
  })

  it('are applied within a second, also in a folder that was made anew', async () => {
    await mkdir(at('more'))
    await writeFile(at('more/a.yaml'), aTrigger('a', 'http://0'))
    await follow()
    await rm(at('more'), { recursive: true })
    await mkdir(at('more'))

    for (const uri of ['http://1', 'http://2', 'http://3', 'http://4']) {
      const writtenAt = performance.now()
      await writeFile(at('more/a.yaml'), aTrigger('a', uri))
      await eventually(() => uriOf('a') === uri, 'it is applied')

      assert.ok(performance.now() - writtenAt < 1_000)
    }
  })

  it('may not change what is immutable', async () => {
    await writeFile(at('a.yaml'), aTrigger('a', 'http://1'))
    await follow()

    await writeFile(at('a.yaml'), aTrigger('a', 'http://2').replace('broker: default', 'broker: other'))
    await eventually(() => files?.problems().length === 1, 'it was seen')

    assert.match(String(logged[0]?.['msg']), /spec\.broker: Immutable fields changed \(-old \+new\)/)
    assert.equal(uriOf('a'), 'http://1')
  })

  it('leave what is applied alone when a Broker of its name and another class turns up', async () => {
    const broker = (klass: string): string =>
      `---\napiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {name: default, annotations: {eventing.knative.dev/broker.class: ${klass}}}\n`
    await writeFile(at('b.yaml'), broker('Tidings') + aTrigger('a', 'http://1'))
    await follow()

    await writeFile(at('a.yaml'), broker('Other'))
    await eventually(() => (files?.problems().length ?? 0) > 0, 'it was seen')
    await new Promise((resolve) => setTimeout(resolve, 2_500))

    assert.equal(names().join(), 'a,default')
  })

  it('replace the Broker that is there without anybody asking', async () => {
    const text = (klass: string): string =>
      `apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {name: default, annotations: {eventing.knative.dev/broker.class: ${klass}}}\n`
    const [builtIn] = loadManifests(text('Tidings'), 'x.yaml').resources
    assert.ok(builtIn)
    store.put(builtIn.resource, BUILT_IN)
    await follow()

    await writeFile(at('b.yaml'), text('MTChannelBasedBroker'))

    await eventually(() => [...store.list()][0]?.origin === `${at('b.yaml')}:1`, 'it is replaced')
  })

  it('tell of a pipe and read on', async () => {
    await writeFile(at('a.yaml'), aTrigger('a', 'http://1'))
    await follow()

    execFileSync('mkfifo', [at('b.yaml')])
    await writeFile(at('c.yaml'), aTrigger('c', 'http://1'))

    await eventually(() => names().join() === 'a,c', 'the others are read')
  })
})
