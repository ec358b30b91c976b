import assert from 'node:assert/strict'
import type { LogStatus, RuntimeStatus, SubscriberStatus } from '../../src/runtime/status.ts'
import { anAdmin, aRerun, startTestAdmin } from '../support/admin.ts'
import { run } from '../support/command.ts'

const DEAD_LETTERS = { waiting: 0, expired: 0, bytes: 0, capBytes: 0, isFull: false }
const LOG: LogStatus = {
  namespace: 'default',
  name: 'orders',
  url: 'http://127.0.0.1:8080/default/orders',
  accepted: 3,
  unmatched: 0,
  settled: 2,
  waiting: 1,
  expired: 0,
  repliesWaiting: 0,
  log: { backend: 'memory', bytes: 0, retainedBytes: 0, capBytes: 64 * 2 ** 20, retentionBytes: 0, floorHolder: null },
  deadLetters: DEAD_LETTERS,
}
const SUBSCRIBER: SubscriberStatus = {
  namespace: 'default',
  name: 'audit',
  ready: 'True',
  reason: null,
  message: null,
  subscriber: null,
  paused: true,
  matched: 3,
  delivered: 2,
  deadLettered: 0,
  kept: 0,
  waiting: 1,
  behind: 0,
  behindIsExact: true,
  expired: 0,
  skipped: 0,
  inFlight: 0,
  attempts: 2,
  failedAttempts: 0,
  failingSince: null,
  lastFailure: null,
  oldestWaiting: null,
}
const STATUS: RuntimeStatus = {
  ready: true,
  dataUrl: 'http://127.0.0.1:8080',
  backend: 'memory',
  brokers: [],
  triggers: [{ ...SUBSCRIBER, broker: 'default' }],
  channels: [LOG],
  subscriptions: [{ ...SUBSCRIBER, paused: false, channel: 'orders' }],
  sources: [
    {
      ...SUBSCRIBER,
      paused: false,
      kind: 'PingSource',
      missed: 4,
      lastAt: null,
      nextAt: '2026-01-02T03:05:00.000Z',
      deadLetters: DEAD_LETTERS,
    },
  ],
  reruns: [],
  problems: [],
}

describe('tidings status', () => {
  it('says what the data directory takes, and what is left on its disk', async () => {
    const disk = { dir: '/data', usedBytes: 3 * 2 ** 20, freeBytes: 5 * 2 ** 30, lowSpaceBytes: 2 ** 30, isLow: false }
    await using server = await startTestAdmin(anAdmin('', { status: async () => ({ ...STATUS, disk }) }))

    const { out } = await run(['status'], { TIDINGS_SERVER: server.url })

    assert.match(out, /\n\nDATA DIRECTORY +USED +FREE\n\/data +3 MiB +5120 MiB\n\nNothing fails\.\n$/)
  })

  it('has a table for each kind that is there', async () => {
    await using server = await startTestAdmin(anAdmin('', { status: async () => STATUS }))

    const { code, out } = await run(['status'], { TIDINGS_SERVER: server.url })

    assert.equal(code, 0)
    assert.equal(
      out,
      `BROKER   ACCEPTED   UNMATCHED   SETTLED   WAITING   DEAD-LETTER LOG   LOG (MEMORY)

TRIGGER         READY           MATCHED   DELIVERED   DEAD-LETTERED   KEPT   WAITING   BEHIND   OLDEST
default/audit   True (paused)   3         2           0               0      1         0        -

CHANNEL          ACCEPTED   UNMATCHED   SETTLED   WAITING   DEAD-LETTER LOG   LOG (MEMORY)
default/orders   3          0           2         1         0                 0 % of 64 MiB

SUBSCRIPTION    READY   MATCHED   DELIVERED   DEAD-LETTERED   KEPT   WAITING   BEHIND   OLDEST
default/audit   True    3         2           0               0      1         0        -

SOURCE          KIND         READY   EMITTED   DELIVERED   DEAD-LETTERED   KEPT   WAITING   MISSED   NEXT
default/audit   PingSource   True    3         2           0               0      1         4        2026-01-02T03:05:00.000Z

Nothing fails.
`,
    )
  })

  it('has columns for what was skipped or is gone, when there is some', async () => {
    const trigger = { ...SUBSCRIBER, broker: 'default', skipped: 3 }
    const status = { ...STATUS, triggers: [trigger], channels: [], subscriptions: [], sources: [] }
    await using server = await startTestAdmin(anAdmin('', { status: async () => status }))

    const { out } = await run(['status'], { TIDINGS_SERVER: server.url })

    assert.match(out, /^TRIGGER .* WAITING {3}BEHIND {3}SKIPPED {3}OLDEST\ndefault\/audit .* 1 {9}0 {8}3 {9}-$/m)
  })

  it('has the replays and redrives that go on, and some that ended', async () => {
    const endedAt = '2026-01-02T03:05:00.000Z'
    const ended = Array.from({ length: 9 }, () => aRerun({ id: 'e', unread: 0, unsettled: 0, endedAt }))
    const status = {
      ...STATUS,
      triggers: [],
      channels: [],
      subscriptions: [],
      sources: [],
      reruns: [
        aRerun({ kind: 'redrive', ratePerSecond: 10, held: 'it is paused' }),
        aRerun({ id: 'r2', unread: 0 }),
        aRerun({ id: 'c', unread: 0, unsettled: 0, endedAt, cancelled: 'somebody asked for it' }),
        ...ended,
      ],
    }
    await using server = await startTestAdmin(anAdmin('', { status: async () => status }))

    const { out } = await run(['status'], { TIDINGS_SERVER: server.url })

    const [, table = ''] = out.split('\n\n')
    const lines = table.split('\n')
    assert.deepEqual(lines.slice(0, 4), [
      'REPLAY, REDRIVE   FOR                 BEGAN                      DELIVERED   DEAD-LETTERED   KEPT   LEFT   RATE   STATE',
      'redrive r1        trigger default/a   2026-01-02T03:04:05.000Z   5           0               0      <= 5   10/s   waits: it is paused',
      'replay r2         trigger default/a   2026-01-02T03:04:05.000Z   5           0               0      1      -      goes on',
      `replay c          trigger default/a   2026-01-02T03:04:05.000Z   5           0               0      0      -      cancelled at ${endedAt}: somebody asked for it`,
    ])
    assert.equal(lines.length, 8)
  })

  it('exits with 1 when something fails', async () => {
    const status = { ...STATUS, problems: ['broker default/a: its log is 90 % full'] }
    await using server = await startTestAdmin(anAdmin('', { status: async () => status }))

    const { code, out } = await run(['status'], { TIDINGS_SERVER: server.url })

    assert.equal(code, 1)
    assert.match(out, /Needs attention:\n {2}broker default\/a: its log is 90 % full\n$/)
  })
})
