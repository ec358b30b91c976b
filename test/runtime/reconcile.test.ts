import assert from 'node:assert/strict'
import fc from 'fast-check'
import { createLogger } from '../../src/observe/logger.ts'
import { findKind } from '../../src/resource/known-kinds.ts'
import { type ReconcilerOptions, startReconciler } from '../../src/runtime/reconcile.ts'
import { createResourceStore, type Entry, keyOf } from '../../src/store/resource-store.ts'
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

  it('has reconciled each, in the end, after its last change and after the last change of all it looked at', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'] as const
    const all = names.map(key)
    const step = fc.oneof(
      // `retry` says whom it looks at: a bit for each.
      fc.record({ what: fc.constant('put'), who: fc.constantFrom(...names), retry: fc.nat(31) }),
      fc.record({ what: fc.constant('delete'), who: fc.constantFrom(...names), retry: fc.constant(0) }),
      fc.record({ what: fc.constant('wait'), who: fc.constant('a'), retry: fc.nat(3) }),
    )
    const chance = fc.infiniteStream(fc.nat(9))
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), chance, async (steps, chances) => {
        const next = (): number => chances.next().value ?? 0
        /** What each saw of itself and of others when it was reconciled last. */
        const saw = new Map<string, { self: unknown; others: Map<string, Entry | undefined> }>()
        const running = new Set<string>()
        const { store, clock, reconciler, put } = setUp({
          order: (key) => all.indexOf(key) % 2,
          async reconcile(key, entry, look) {
            assert.ok(!running.has(key), 'one at a time')
            running.add(key)
            const others = new Map<string, Entry | undefined>()
            saw.set(key, { self: specOf(entry), others })
            for (const [i, other] of all.entries()) {
              if ((retryOf(entry) & (1 << i)) === 0 || other === key) continue
              if (next() < 3) await new Promise(setImmediate)
              others.set(other, look(other))
            }
            if (next() < 3) await new Promise(setImmediate)
            running.delete(key)
            if (next() < 1) {
              saw.delete(key)
              throw new Error('not now')
            }
            if (entry) store.setStatus(key, { observedGeneration: retryOf(entry), conditions: [] })
          },
        })

        const changed = new Set<string>()
        for (const { what, who, retry } of steps) {
          if (what === 'put') put(who, retry)
          else if (what === 'delete') store.delete(key(who))
          else for (let i = 0; i < retry; i++) await new Promise(setImmediate)
          if (what === 'put') changed.add(key(who))
        }
        await reconciler.settled()
        while (clock.pending() > 0) {
          await clock.advance(30_000)
          await reconciler.settled()
        }

        for (const each of changed) {
          const seen = saw.get(each)
          assert.ok(seen, `${each} was reconciled`)
          assert.deepEqual(seen.self, specOf(store.get(each)), each)
          for (const [other, entry] of seen.others) {
            assert.equal(entry, store.get(other), `${each} looked at ${other}`)
          }
        }
      }),
      { numRuns: 300 },
    )
  })
})

function specOf(entry: Entry | undefined): unknown {
  return entry && 'spec' in entry.resource ? entry.resource.spec : undefined
}

function retryOf(entry: Entry | undefined): number {
  return entry?.resource.kind === 'Broker' ? (entry.resource.spec?.delivery?.retry ?? 0) : 0
}
