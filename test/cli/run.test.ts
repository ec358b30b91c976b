import assert from 'node:assert/strict'
import { run } from '../support/command.ts'

describe('words that no command knows', () => {
  const cases = [
    {
      argv: ['serve', 'config/a.yaml'],
      says: "tidings serve: unexpected 'config/a.yaml'; each manifest is given with -f: tidings serve -f config/a.yaml",
    },
    {
      argv: ['serve', '-f', 'a.yaml', 'b.yaml'],
      says: "tidings serve: unexpected 'b.yaml'; each manifest is given with -f: tidings serve -f b.yaml",
    },
    { argv: ['status', 'now'], says: "tidings status: unexpected 'now'" },
    { argv: ['event', 'send', '{}'], says: "tidings event send: unexpected '{}'" },
    { argv: ['sink', '9000'], says: "tidings sink: unexpected '9000'" },
    { argv: ['version', '\u001b[2J'], says: "tidings version: unexpected '·[2J'" },
  ]
  for (const { argv, says } of cases) {
    it(`are refused: ${JSON.stringify(argv)}`, async () => {
      const name = argv[0] === 'event' ? 'event send' : argv[0]

      assert.deepEqual(await run(argv), { code: 1, out: '', err: `${says}\nSee: tidings ${name} --help\n` })
    })
  }

  it('are told what can follow the first', async () => {
    for (const argv of [['event'], ['event', 'shwo']]) {
      assert.deepEqual(await run(argv), {
        code: 1,
        out: '',
        err: `tidings event: expected one of these

  event send           send an event to a broker
  event show           one event, and who got it

Each takes --help.
`,
      })
    }
  })
})
