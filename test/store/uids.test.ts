import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { loadManifests } from '../../src/resource/load.ts'
import { createResourceStore } from '../../src/store/resource-store.ts'
import { openUids } from '../../src/store/uids.ts'
import { aTrigger } from '../support/runtime.ts'

describe('uids across restarts', () => {
  let dir: string

  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'tidings-uids-'))
  })
  afterEach(() => rm(dir, { recursive: true }))

  async function start(names: readonly string[]) {
    const resources = createResourceStore(Date.now)
    const uids = await openUids(dir, resources)
    const given = names.map((name) => {
      const [loaded] = loadManifests(aTrigger(name, 'http://s'), 'a.yaml').resources
      assert.ok(loaded)
      return resources.put(loaded.resource, 'a.yaml:1')
    })
    await uids.saved()
    return {
      resources,
      uids,
      keys: given.map(({ key }) => key),
      given: given.map((each) => each.resource.metadata.uid),
    }
  }

  it('are the same for the same names', async () => {
    const first = await start(['a', 'b'])
    const second = await start(['b', 'a', 'c'])

    assert.deepEqual([second.given[1], second.given[0]], first.given)
    assert.deepEqual(await readdir(dir), ['uids.json'])
  })

  it('tell whose resources are gone', async () => {
    const { given } = await start(['a', 'b'])
    const { uids } = await start(['b'])

    assert.deepEqual(uids.orphans(), [{ key: 'eventing.knative.dev/Trigger/default/a', uid: given[0] }])
  })

  it('are new once they were forgotten', async () => {
    const first = await start(['a'])
    first.uids.forget(first.keys[0] ?? '')
    await first.uids.saved()

    const second = await start(['a'])

    assert.notEqual(second.given[0], first.given[0])
  })

  it('are on disk once asked for, also those that came while a write was under way', async () => {
    const { resources, uids } = await start([])
    let lastKey = ''
    for (let i = 0; i < 30; i++) {
      const [loaded] = loadManifests(aTrigger(`t${i}`, 'http://s'), 'a.yaml').resources
      assert.ok(loaded)
      resources.delete(lastKey)
      uids.forget(lastKey)
      const first = uids.saved()
      for (let turn = 0; turn < i % 6; turn++) await new Promise(setImmediate)
      const { key } = resources.put(loaded.resource, 'a.yaml:1')
      lastKey = key
      await uids.saved()
      await first
      assert.match(await readFile(path.join(dir, 'uids.json'), 'utf8'), new RegExp(key))
    }
  })

  it('are not made up when the file is damaged', async () => {
    await writeFile(path.join(dir, 'uids.json'), '{"version":1,"uids":{"a":')

    await assert.rejects(start(['a']), { code: 'LOG_CORRUPT', message: /uids\.json: .* restore it from a backup/ })
  })
})
