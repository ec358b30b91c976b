import assert from 'node:assert/strict'
import { type Connection, createConnections, type Job } from '../../src/http/connections.ts'
import { createFakeClock } from '../support/clock.ts'

describe('the connections to one origin', () => {
  function setUp(most = 1_024) {
    const clock = createFakeClock()
    const opened: (Connection & { destroyed: boolean })[] = []
    const open = () => {
      const connection = {
        destroyed: false,
        close: () => connection.destroy(),
        async destroy() {
          connection.destroyed = true
        },
      }
      opened.push(connection)
      return connection
    }
    const connections = createConnections({ open, most, clock })
    const begun: { readonly name: string; readonly connection: Connection }[] = []
    const refused: string[] = []
    const run = (name: string, isDone = () => false): void => {
      const job: Job<Connection & { destroyed: boolean }> = {
        get isDone() {
          return isDone()
        },
        begin(connection) {
          begun.push({ name, connection })
        },
        refuse: () => void refused.push(name),
      }
      connections.run(job)
    }
    const runMany = (count: number): void => {
      for (let i = 0; i < count; i++) run(String(i))
    }
    return { clock, opened, connections, begun, refused, run, runMany }
  }

  it('uses a free one again, the one used last first', () => {
    const { opened, connections, begun, run } = setUp()
    run('a')
    run('b')
    const [a, b] = opened
    assert.ok(a && b)
    connections.release(a)
    connections.release(b)

    run('c')

    assert.equal(opened.length, 2)
    assert.equal(begun[2]?.connection, b)
  })

  it('keeps to sixty-four while answers are quick, and begins in the order asked', async () => {
    const { clock, opened, connections, begun, runMany } = setUp()
    runMany(640)
    for (let done = 0; done < 640; done++) {
      if (done % 32 === 0) await clock.advance(1)
      const next = begun[done]
      assert.ok(next)
      connections.release(next.connection as (typeof opened)[number])
    }

    assert.equal(opened.length, 64)
    assert.deepEqual(
      begun.map(({ name }) => name),
      Array.from({ length: 640 }, (_, i) => String(i)),
    )
  })

  it('opens one more for each that waits long for its answer', async () => {
    const { clock, opened, begun, run, runMany } = setUp()
    runMany(64)
    run('quick')
    assert.equal(begun.length, 64)

    await clock.advance(60)

    assert.equal(begun.at(-1)?.name, 'quick')
    assert.equal(opened.length, 65)
  })

  it('opens no more than allowed, however slow they are', async () => {
    const { clock, opened, runMany } = setUp(3)
    runMany(10)

    await clock.advance(1_000)

    assert.equal(opened.length, 3)
    assert.equal(clock.pending(), 0)
  })

  it('passes over what was given up while it waited', () => {
    const { opened, connections, begun, run, runMany } = setUp()
    runMany(64)
    run('given up', () => true)
    run('next')
    const [connection] = opened
    assert.ok(connection)

    connections.release(connection)

    assert.equal(begun.at(-1)?.name, 'next')
  })

  it('closes those beyond sixty-four that nobody needs any more', async () => {
    const { clock, opened, connections, runMany } = setUp()
    runMany(100)
    await clock.advance(60)
    assert.equal(opened.length, 100)

    for (const connection of opened) connections.release(connection)

    assert.equal(opened.filter(({ destroyed }) => destroyed).length, 36)
  })

  it('refuses who still waits when it is closed', async () => {
    const { clock, opened, connections, refused, run, runMany } = setUp()
    runMany(64)
    run('late')

    await connections.destroy()

    assert.deepEqual(refused, ['late'])
    assert.ok(opened.every(({ destroyed }) => destroyed))
    assert.equal(clock.pending(), 0)
  })
})
