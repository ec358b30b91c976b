import assert from 'node:assert/strict'
import type { Admin, FoundEvent } from '../../src/runtime/admin.ts'
import { anAdmin, startTestAdmin, triggerManifest } from '../support/admin.ts'
import { type CommandResult, run } from '../support/command.ts'

const sourceManifest = (kind: string, name: string): string => `---
apiVersion: sources.knative.dev/v1
kind: ${kind}
metadata: { name: ${name} }
spec: { schedule: '* * * * *', sink: { uri: 'http://a.example' } }
`

/** A command at an admin port of its own. */
async function at(admin: Admin, ...argv: string[]): Promise<CommandResult> {
  await using server = await startTestAdmin(admin)
  return await run(argv, { TIDINGS_SERVER: server.url })
}

describe('tidings trigger pause', () => {
  const admin = () => anAdmin(triggerManifest('a', 'http://a.example'))

  it('pauses, and says how to go on', async () => {
    const told = admin()

    const { code, out } = await at(told, 'trigger', 'pause', 'a')

    assert.equal(code, 0)
    assert.equal(
      out,
      'trigger default/a is paused: its events wait\nResume it with: tidings trigger resume a -n default\n',
    )
    assert.deepEqual(told.told, ['pause default/a'])
  })

  it('has resume as its opposite', async () => {
    assert.equal((await at(admin(), 'trigger', 'resume', 'a')).out, 'trigger default/a is resumed\n')
  })

  it('has JSON for programs', async () => {
    const { out } = await at(admin(), 'trigger', 'pause', 'a', '-o', 'json')

    assert.equal(out, '{"namespace":"default","name":"a","paused":true}\n')
  })

  it('says where to look for one that is missing', async () => {
    assert.deepEqual(await at(admin(), 'trigger', 'pause', 'x', '-n', 'shop'), {
      code: 1,
      out: '',
      err: 'there is no trigger shop/x\nThose that are there: tidings get triggers -n shop\n',
    })
  })

  it('takes no name that would be part of a path', async () => {
    const { code, err } = await at(admin(), 'trigger', 'pause', '../../x')

    assert.deepEqual({ code, err }, { code: 1, err: "expected a name of a-z, 0-9, - and ., got '../../x'\n" })
  })
})

describe('tidings source fire', () => {
  function firing(manifests: string) {
    const kinds: string[] = []
    const admin = anAdmin(manifests, {
      fireSource: async (kind) => {
        kinds.push(kind)
        return { kind: 'fired', eventId: '7', sink: 'http://a.example/' }
      },
    })
    return { admin, kinds }
  }

  for (const kind of ['PingSource', 'CronJobSource']) {
    it(`finds out that it is a ${kind}`, async () => {
      const { admin, kinds } = firing(sourceManifest(kind, 'p'))

      const { code, out } = await at(admin, 'source', 'fire', 'p')

      assert.equal(code, 0)
      assert.equal(out, `${kind} default/p emitted event 7 to http://a.example/\n`)
      assert.deepEqual(kinds, [kind])
    })
  }

  it('asks which one when there are two, and takes the answer', async () => {
    const { admin, kinds } = firing(sourceManifest('PingSource', 'p') + sourceManifest('CronJobSource', 'p'))

    const { err } = await at(admin, 'source', 'fire', 'p')
    const { code } = await at(admin, 'source', 'fire', 'p', '--kind', 'CronJobSource')

    assert.equal(err, 'there are a PingSource and a CronJobSource default/p: choose with --kind PingSource\n')
    assert.equal(code, 0)
    assert.deepEqual(kinds, ['CronJobSource'])
  })

  it('says where to look for one that is missing', async () => {
    const { code, err } = await at(anAdmin(), 'source', 'fire', 'p')

    assert.equal(code, 1)
    assert.match(
      err,
      /^there is no PingSource or CronJobSource default\/p\nThose that are there: tidings get pingsources/,
    )
  })

  it('says why it cannot', async () => {
    const admin = anAdmin(sourceManifest('PingSource', 'p'), {
      fireSource: async () => ({ kind: 'refused', reason: 'its sink is not resolved' }),
    })

    const { code, err } = await at(admin, 'source', 'fire', 'p')

    assert.deepEqual({ code, err }, { code: 1, err: 'PingSource default/p: its sink is not resolved\n' })
  })
})

describe('tidings event show', () => {
  const found = (asked: string[] = []) =>
    anAdmin('', {
      findEvents: async (...words) => {
        asked.push(words.join(' '))
        return [
          {
            position: 3,
            attributes: { specversion: '1.0', id: 'a/b', source: '/s', type: 't' },
            arrivedAt: '2026-01-02T03:04:05.000Z',
            dataBase64: Buffer.from('{"a":1}').toString('base64'),
            triggers: [{ name: 'audit', state: 'waiting' }],
          },
        ]
      },
    })

  it('shows the event and where it stands', async () => {
    const asked: string[] = []

    const { code, out } = await at(found(asked), 'event', 'show', 'a/b', '--broker', 'shop/orders')

    assert.equal(code, 0)
    assert.deepEqual(asked, ['shop orders a/b'])
    assert.match(out, /^☁ {2}event\n {3}specversion: 1\.0\n {3}type: t\n/)
    assert.match(out, /"a": 1/)
    assert.match(out, /^arrived 2026-01-02T03:04:05\.000Z, position 3\nTRIGGER {3}STATE\naudit {5}waiting\n$/m)
  })

  it('has JSON for programs', async () => {
    const { out } = await at(found(), 'event', 'show', 'a/b', '-o', 'json')

    assert.equal((JSON.parse(out) as { events: { position: number }[] }).events[0]?.position, 3)
  })

  it('says where to look for what nobody took', async () => {
    const [event] = (await found().findEvents('', '', '')) ?? []
    const kept = { ...event, triggers: [{ name: 'audit', state: 'kept' }] } as FoundEvent

    const { out } = await at(anAdmin('', { findEvents: async () => [kept] }), 'event', 'show', 'a/b')

    assert.match(out, /^audit {5}kept\nWhy it is kept .*: tidings deadletter show a\/b -A\n$/m)
  })

  it('says when there is none', async () => {
    const { code, err } = await at(anAdmin('', { findEvents: async () => [] }), 'event', 'show', 'x')

    assert.equal(code, 1)
    assert.match(
      err,
      /^no event x is in the log of broker default\/default: it never came, or it is settled and gone\n/,
    )
  })

  it('says when there is no such broker', async () => {
    const { code, err } = await at(anAdmin(), 'event', 'show', 'x', '--broker', 'orders')

    const says = 'there is no broker default/orders\nThose that are there: tidings get brokers -A\n'
    assert.deepEqual({ code, err }, { code: 1, err: says })
  })

  for (const id of ['.', '..', '']) {
    it(`cannot look for ${JSON.stringify(id)}`, async () => {
      const { code, err } = await at(found(), 'event', 'show', id)

      assert.deepEqual({ code, err }, { code: 1, err: `an event with id '${id}' cannot be looked up by it\n` })
    })
  }

  for (const broker of ['a/b/c', '../x', '/', 'A']) {
    it(`refuses the broker ${broker}`, async () => {
      assert.equal((await at(found(), 'event', 'show', 'x', '--broker', broker)).code, 1)
    })
  }
})

describe('tidings settings', () => {
  const admin = () =>
    anAdmin('', {
      settings: () => [
        { name: 'data.port', value: 8080, origin: 'default', reloads: false, description: 'The data port' },
        { name: 'log.level', value: 'debug', origin: 'flag --log.level', reloads: true, description: 'The least' },
        { name: 'metrics.port', value: undefined, origin: 'default', reloads: false, description: 'Another' },
      ],
    })

  it('are a table', async () => {
    assert.equal(
      (await at(admin(), 'settings')).out,
      `NAME           VALUE   ORIGIN             RELOADS
data.port      8080    default            no
log.level      debug   flag --log.level   yes
metrics.port   -       default            no
`,
    )
  })

  it('are JSON for programs', async () => {
    const { out } = await at(admin(), 'settings', '-o', 'json')

    assert.equal((JSON.parse(out) as { settings: unknown[] }).settings.length, 3)
  })
})
