import assert from 'node:assert/strict'
import { createLogger } from '../../src/observe/logger.ts'
import { findKind } from '../../src/resource/known-kinds.ts'
import { type ReconcilerOptions, startReconciler } from '../../src/runtime/reconcile.ts'
import { createResourceStore, keyOf } from '../../src/store/resource-store.ts'
import { createFakeClock } from '../support/clock.ts'

const key = (name: string) => keyOf('eventing.knative.dev/v1', 'Broker', 'default', name)

describe('a reconciler', () => {
  function setUp(options: Partial<ReconcilerOptions> = {}) {
    const store = createResourceStore(() => 0)
    const clock = createFakeClock()
    const seen: string[] = []
    const reconciler = startReconciler({
      resources: store,
      clock,
      logger: createLogger('silent'),
      order: () => 0,
      onIdle: () => undefined,
      reconcile: (key, entry) => void seen.push(`${entry ? '+' : '-'}${key.split('/')[3]}`),
      ...options,
    })
    const put = (name: string, retry = 1): void => {
      const manifest = {
        apiVersion: 'eventing.knative.dev/v1',
        kind: 'Broker',
        metadata: { name },
        spec: { delivery: { retry } },
      }
      const reading = findKind('eventing.knative.dev/v1', 'Broker')?.read(manifest)
      assert.ok(reading?.kind === 'valid')
      store.put(reading.resource, 'a')
    }
    return { store, clock, seen, reconciler, put }
  }

  it('is told of each change once it is there, and of deletions', async () => {
    const { store, seen, reconciler, put } = setUp()

    put('a')
    await reconciler.settled()
    put('a', 2)
    await reconciler.settled()
    store.delete(key('a'))
    await reconciler.settled()

    assert.deepEqual(seen, ['+a', '+a', '-a'])
  })

  it('takes several changes of one resource together', async () => {
    const { seen, reconciler, put } = setUp()

    for (const retry of [1, 2, 3]) put('a', retry)
    await reconciler.settled()

    assert.deepEqual(seen, ['+a'])
  })

  it('does not come back for a status that it wrote itself', async () => {
    const { seen, reconciler, put, store } = setUp({
      reconcile(key) {
        seen.push(key)
        store.setStatus(key, { observedGeneration: 1, conditions: [] })
      },
    })

    put('a')
    await reconciler.settled()

    assert.equal(seen.length, 1)
  })

  it('comes back to whoever looked at what appears, changes or goes, as long as they look', async () => {
    let looks = true
    const seen: string[] = []
    const { store, reconciler, put } = setUp({
      reconcile(key, _entry, look) {
        const [, , , name = ''] = key.split('/')
        seen.push(name)
        if (name === 'a' && looks) look(keyOf('eventing.knative.dev/v1', 'Broker', 'default', 'b'))
      },
    })
    put('a')
    await reconciler.settled()

    for (const change of [() => put('b'), () => put('b', 2), () => store.delete(key('b'))]) {
      seen.length = 0
      change()
      await reconciler.settled()
      assert.deepEqual(seen.sort(), ['a', 'b'])
    }
    looks = false
    put('a', 5)
    await reconciler.settled()
    seen.length = 0
    put('b', 9)
    await reconciler.settled()

    assert.deepEqual(seen, ['b'])
  })

  it('sees a change that comes while the one who looked is still being reconciled', async () => {
    const seen: string[] = []
    const { reconciler, put } = setUp({
      async reconcile(key, _entry, look) {
        const [, , , name = ''] = key.split('/')
        if (name !== 'a') return
        seen.push(look(keyOf('eventing.knative.dev/v1', 'Broker', 'default', 'b')) ? 'there' : 'not there')
        if (seen.length === 1) put('b')
        await new Promise(setImmediate)
      },
    })

    put('a')
    await reconciler.settled()

    assert.deepEqual(seen, ['not there', 'there'])
  })

  it('takes what others refer to first', async () => {
    const { seen, reconciler, put } = setUp({ order: (key) => (key.endsWith('/first') ? 0 : 1) })

    for (const name of ['a', 'b', 'first']) put(name)
    await reconciler.settled()

    assert.equal(seen[0], '+first')
  })

  it('tries again what failed, ever more seldom, and goes on with the rest', async () => {
    const at: number[] = []
    const { clock, reconciler, put } = setUp({
      reconcile(key) {
        if (!key.endsWith('/bad')) return
        at.push(clock.now())
        if (at.length < 4) throw new Error('not yet')
      },
    })

    put('bad')
    put('good')
    await reconciler.settled()
    for (let i = 0; i < 4; i++) {
      await clock.advance(1_000)
      await reconciler.settled()
    }

    assert.equal(at.length, 4)
    assert.equal(clock.pending(), 0)
  })
})
