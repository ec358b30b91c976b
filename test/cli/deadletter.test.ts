import assert from 'node:assert/strict'
import type { DeadLetters, Letter, LetterGroup, Redriven } from '../../src/runtime/dead-letters.ts'
import type { LogStatus } from '../../src/runtime/status.ts'
import { anAdmin, aRerun, startTestAdmin, type TestAdmin, triggerManifest } from '../support/admin.ts'
import { type CommandResult, run } from '../support/command.ts'

const log = { kind: 'Broker', namespace: 'shop', name: 'main' }
const mail = { kind: 'Trigger', namespace: 'shop', name: 'mail' }
const DAY_S = 86_400
/** In whole days, so that what is shown does not change while tests run. */
const ago = (seconds: number): string => new Date(Date.now() - seconds * 1_000 - 200).toISOString()
const aGroup = (facts: Partial<LetterGroup> = {}): LetterGroup => ({
  log,
  reader: mail,
  isReaderThere: true,
  code: '503',
  destination: 'http://u:p@a.example/b?token=c',
  count: 7,
  oldestAt: ago(4 * DAY_S),
  newestAt: ago(3 * DAY_S),
  types: [
    { type: 'order.paid', count: 4 },
    { type: 'order.placed', count: 2 },
    { type: 'order.sent', count: 1 },
  ],
  ids: ['o-1', 'o-2'],
  text: 'upstream is down\nand more',
  ...facts,
})
const A_LETTER: Letter = {
  log,
  reader: mail,
  code: '503',
  destination: 'http://u:p@a.example/b?token=c',
  text: 'down\u001b[2J\nfor a while',
  keptAt: ago(3 * DAY_S),
  attributes: {
    specversion: '1.0',
    id: "o'1",
    source: '/s',
    type: 'order.paid',
    knativeerrorcode: '503',
    knativeerrordata: 'ZG93bg==',
    knativeerrordest: 'http://a.example/b',
    tidingstrigger: 'shop/mail',
    note: '\u001b]0;x',
  },
  dataBase64: Buffer.from('{"a":1}').toString('base64'),
}
const LOG: LogStatus = {
  namespace: 'other',
  name: 'main',
  url: 'http://127.0.0.1:8080/other/main',
  accepted: 3,
  unmatched: 0,
  settled: 3,
  waiting: 0,
  expired: 0,
  repliesWaiting: 0,
  log: { backend: 'memory', bytes: 0, retainedBytes: 0, capBytes: 64 * 2 ** 20, retentionBytes: 0, floorHolder: null },
  deadLetters: { waiting: 3, expired: 0, bytes: 0, capBytes: 0, isFull: false },
}

describe('tidings deadletter', () => {
  function anAdminWith(answers: Partial<DeadLetters>, reruns = [aRerun({})], brokers: LogStatus[] = []): TestAdmin {
    const base = anAdmin(triggerManifest('a', 'http://a.example'))
    return {
      ...base,
      deadLetters: { ...base.deadLetters, ...answers },
      status: async () => ({ ...(await base.status()), reruns, brokers }),
    }
  }

  async function at(admin: TestAdmin, ...argv: string[]): Promise<CommandResult> {
    await using server = await startTestAdmin(admin)
    return await run(['deadletter', ...argv], { TIDINGS_SERVER: server.url })
  }

  describe('list', () => {
    const listing = (groups: LetterGroup[], isComplete = true) => ({
      list: async () => ({ groups, scanned: 200_000, isComplete }),
    })

    it('has a line for each cause, and what to run next for the largest', async () => {
      const gone = { kind: 'PingSource', namespace: 'shop', name: 'tick' }
      const text = 'x'.repeat(61)
      const groups = [aGroup(), aGroup({ reader: gone, code: '500', count: 1, types: [{ type: 't', count: 1 }], text })]

      const { code, out } = await at(anAdminWith(listing(groups)), 'list', '-n', 'shop')

      assert.equal(code, 0)
      assert.equal(
        out,
        `COUNT   FAILED FOR             CODE   DESTINATION          OLDEST   NEWEST   TYPES                                 ANSWER
7       trigger shop/mail      503    http://a.example/b   4d       3d       order.paid (4), order.placed (2), …   upstream is down
1       PingSource shop/tick   500    http://a.example/b   4d       3d       t (1)                                 ${'x'.repeat(60)}…

See one of them:      tidings deadletter show o-1 -n shop
Deliver them again:   tidings deadletter redrive --trigger mail -n shop
Do without them:      tidings deadletter discard --trigger mail -n shop
`,
      )
    })

    it('prints no command that is more than it says', async () => {
      const { out } = await at(anAdminWith(listing([aGroup({ ids: ["$(rm -rf .)'; x"] })])), 'list', '-A')

      assert.match(out, /tidings deadletter show '\$\(rm -rf \.\)'\\''; x' -n shop\n/)
    })

    it('steers no terminal', async () => {
      const hostile = aGroup({ text: '\u001b[2Jx', types: [{ type: '\u001b[2J\ny', count: 1 }], ids: ['\u001b\n'] })

      const { out } = await at(anAdminWith(listing([hostile])), 'list')

      assert.ok(!out.includes('\u001b'))
      assert.match(out, / ·\[2J y \(1\) {3}·\[2Jx\n/)
      assert.match(out, /deadletter show '· ' -n shop\n/)
    })

    it('says whose trigger is gone', async () => {
      const { out } = await at(anAdminWith(listing([aGroup({ isReaderThere: false })])), 'list', '-A')

      assert.match(out, /^7 {7}trigger shop\/mail \(gone\) {3}503 /m)
      assert.match(
        out,
        /again: {3}apply trigger shop\/mail again, then tidings deadletter redrive --trigger mail -n shop\n/,
      )
    })

    it('says when it is only a part', async () => {
      const { out } = await at(anAdminWith(listing([aGroup()], false)), 'list')

      const none = await at(anAdminWith(listing([], false)), 'list', '--trigger', 'mail')

      assert.match(out, /^More wait than one look takes in: it looked at the oldest 200000\.$/m)
      assert.match(none.out, /^None of them is meant\. More wait than one look takes in/)
    })

    it('says that nothing waits, and what waits elsewhere', async () => {
      const { code, out } = await at(anAdminWith(listing([]), [], [LOG]), 'list')

      assert.deepEqual(
        { code, out },
        {
          code: 0,
          out: `Nothing waits in a dead-letter log of namespace default.

3 more wait in other namespaces: tidings deadletter list -A
`,
        },
      )
    })

    it('says that nothing of that waits', async () => {
      const { out } = await at(anAdminWith(listing([]), [], [LOG]), 'list', '--code', '404')

      assert.equal(out, 'No such event waits in a dead-letter log of namespace default.\n')
    })

    it('says when a name is misspelled', async () => {
      const { code, err } = await at(anAdminWith(listing([])), 'list', '--trigger', 'mial')

      assert.deepEqual({ code, err }, { code: 1, err: 'no trigger default/mial, and no events that failed for it\n' })
    })

    it('has JSON for programs', async () => {
      const { out } = await at(anAdminWith(listing([aGroup()])), 'list', '-o', 'json')

      const { groups } = JSON.parse(out) as { groups: { destination: string }[] }
      assert.equal(groups[0]?.destination, 'http://a.example/b')
    })

    const wrong: readonly (readonly [argv: string[], says: RegExp])[] = [
      [['-A', '--trigger', 'a'], /^-A is for all namespaces, --trigger for one of them: give one or the other\n$/],
      [['--code', '5xx'], /^--code: expected an HTTP status such as 503, got '5xx'\n$/],
      [['--trigger', '../x'], /^expected a name of a-z, 0-9, - and \., got '\.\.\/x'\n$/],
      [['--broker', 'a', '--channel', 'b'], /^expected broker or channel, got both\n$/],
      [['--brokr', 'a'], /^tidings deadletter list: Unknown option '--brokr'/],
    ]
    for (const [argv, says] of wrong) {
      it(`refuses ${argv.join(' ')}`, async () => {
        const { code, err } = await at(anAdminWith({}), 'list', ...argv)

        assert.equal(code, 1)
        assert.match(err, says)
      })
    }
  })

  describe('show', () => {
    it('shows the event as it was, and why', async () => {
      const { code, out } = await at(anAdminWith({ show: async () => [A_LETTER] }), 'show', "o'1", '-A')

      assert.equal(code, 0)
      assert.equal(
        out,
        `☁  event
   specversion: 1.0
   type: order.paid
   source: /s
   id: o'1
   extensions
     note: ·]0;x
   data
     {
       "a": 1
     }
failed for trigger shop/mail, and waits in the dead-letter log of broker shop/main since ${A_LETTER.keptAt} (3d)
503 from http://a.example/b, which said:
  down·[2J
  for a while
Deliver it again: tidings deadletter redrive --trigger mail -n shop --id 'o'\\''1'
`,
      )
    })

    it('has all attributes as JSON', async () => {
      const { out } = await at(anAdminWith({ show: async () => [A_LETTER] }), 'show', 'o-1', '-o', 'json')

      const { letters } = JSON.parse(out) as { letters: Letter[] }
      assert.deepEqual(letters[0]?.attributes, A_LETTER.attributes)
    })

    it('says where else it may be', async () => {
      assert.deepEqual(await at(anAdminWith({}), 'show', 'o-1'), {
        code: 1,
        out: '',
        err: `no event o-1 waits in a dead-letter log of namespace default: it never failed, or it was redriven or discarded
Those that wait: tidings deadletter list -A   One that is still in its broker's log: tidings event show o-1
`,
      })
    })
  })

  describe('redrive', () => {
    const begun: Redriven = { log, reader: mail, count: 7, id: 'a1', error: null }
    const other = { ...begun, reader: { ...mail, name: 'audit' }, count: 1 }

    it('says what has begun, and how to follow it', async () => {
      const asked: unknown[] = []
      const redrive: DeadLetters['redrive'] = async (...words) => {
        asked.push(...words)
        return [begun, { ...other, id: 'b2' }]
      }

      const { code, out, err } = await at(anAdminWith({ redrive }), 'redrive', '--all', '-A', '--rate', '0.5')

      assert.deepEqual({ code, err }, { code: 0, err: '' })
      assert.equal(
        out,
        `redrive a1 has begun: 7 events for trigger shop/mail
redrive b2 has begun: 1 event for trigger shop/audit
How far it is: tidings status   To end it: tidings cancel a1
`,
      )
      assert.deepEqual(asked, [{}, { isDry: false, ratePerSecond: 0.5 }])
    })

    it('says what waits', async () => {
      const reruns = [aRerun({ id: 'a1', kind: 'redrive', held: 'it is paused' }), aRerun({ held: 'other' })]

      const { out } = await at(anAdminWith({ redrive: async () => [begun] }, reruns), 'redrive', '--code', '503')

      assert.match(out, /\nredrive a1 waits: it is paused\n$/)
    })

    it('tells for whom it could not begin', async () => {
      const failed = { ...other, id: null, error: 'there is no Trigger shop/audit any more: apply it again' }

      const { code, out, err } = await at(anAdminWith({ redrive: async () => [begun, failed] }), 'redrive', '--all')

      assert.equal(code, 1)
      assert.match(out, /^redrive a1 has begun/)
      assert.equal(
        err,
        'not redriven: 1 event for trigger shop/audit: there is no Trigger shop/audit any more: apply it again\n',
      )
    })

    it('only says what it would do', async () => {
      const redrive = async () => [{ ...begun, id: null }]

      const { code, out } = await at(anAdminWith({ redrive }), 'redrive', '--all', '--dry-run')

      assert.equal(code, 0)
      assert.equal(
        out,
        'would redrive 7 events for trigger shop/mail\nNothing was done: run it again without --dry-run.\n',
      )
    })

    it('finds nothing', async () => {
      const none = await at(anAdminWith({}), 'redrive', '--type', 'x')
      const byId = await at(anAdminWith({}), 'redrive', '--id', '1')

      assert.deepEqual(none, {
        code: 0,
        out: 'no such event waits in a dead-letter log of namespace default\nThose that wait: tidings deadletter list -A\n',
        err: '',
      })
      assert.equal(byId.code, 1)
      assert.match(byId.err, /^no event with that id waits in a dead-letter log of namespace default\n/)
    })

    for (const rate of ['0', '-1', '1e3', '100001', 'fast']) {
      it(`refuses the rate ${rate}`, async () => {
        const { code, err } = await at(anAdminWith({}), 'redrive', '--all', `--rate=${rate}`)

        const says = `--rate: expected a number of events a second above 0, at most 100000, got '${rate}'\n`
        assert.deepEqual({ code, err }, { code: 1, err: says })
      })
    }
  })

  describe('discard', () => {
    it('says how many are gone', async () => {
      const asked: unknown[] = []
      const discard: DeadLetters['discard'] = async (...words) => {
        asked.push(...words)
        return 1
      }

      assert.equal((await at(anAdminWith({ discard }), 'discard', '--id', '1', '--id', '2')).out, 'discarded 1 event\n')
      assert.match(
        (await at(anAdminWith({ discard }), 'discard', '--all', '--dry-run')).out,
        /^would discard 1 event\n/,
      )
      assert.deepEqual(asked, [
        { namespace: 'default', ids: ['1', '2'] },
        { isDry: false },
        { namespace: 'default' },
        { isDry: true },
      ])
    })
  })

  for (const verb of ['redrive', 'discard']) {
    it(`does not ${verb} everything unless told so`, async () => {
      const { code, err } = await at(anAdminWith({}), verb, '-n', 'shop')
      const both = await at(anAdminWith({}), verb, '-n', 'shop', '--code', '503', '--all')

      assert.equal(code, 1)
      assert.equal(
        err,
        `tidings deadletter ${verb}: expected --trigger, --subscription, --source, --broker, --channel, --type, --code or --id; or --all for everything in namespace shop
What waits: tidings deadletter list
`,
      )
      assert.equal(both.err, '--all is for everything, --code for less: give one or the other\n')
    })
  }
})
