// What the suite answers for: every guarantee and every case of the list of channel backends, and what a backend must be
// for the case to mean anything. A number that no longer counts (G12, C16: there is no count of hand-outs) is not here.
import assert from 'node:assert/strict'
import { type Backend, type Need, reasonAgainst } from './backend.ts'

export interface Guarantee {
  /** G: a promise to users. C: a case that proves it. */
  readonly id: string
  readonly title: string
  /** Without these no test here can name it; with them the backend's own tests must, where the shared ones do not. */
  readonly needs?: readonly Need[]
}

export const guarantees: readonly Guarantee[] = [
  { id: 'G1', title: 'what was accepted survives what the backend names, and reaches every subscription made before' },
  { id: 'G2', title: 'an entry is handed out until it settles: no crash or takeover skips it' },
  { id: 'G3', title: 'an entry is handed out again only after a wait, a fault, a crash or a takeover' },
  { id: 'G4', title: 'what settled is on record within a second, or at close' },
  { id: 'G5', title: '`now` never delivers what was accepted before the call' },
  { id: 'G6', title: 'settling out of order never moves a cursor past an unsettled entry' },
  { id: 'G7', title: 'ordered: at most one unsettled delivery per key, first deliveries in order' },
  { id: 'G8', title: 'no subscription slows another, nor a send, until the cap' },
  { id: 'G9', title: 'memory is bounded by bytes' },
  { id: 'G10', title: 'only settled entries are removed' },
  { id: 'G11', title: 'after an outage delivery resumes by itself; no cursor moves because of an error' },
  { id: 'G13', title: 'a new uid starts now, the same uid resumes' },
  { id: 'G14', title: 'close keeps its time, and nothing is handed out after it' },
  { id: 'G15', title: 'data and attributes round-trip exactly' },
  { id: 'G16', title: 'an entry is in flight at one process at a time, but for a takeover' },
  { id: 'G17', title: 'a position is never used twice' },
  { id: 'C1', title: 'round trips of every size and kind' },
  { id: 'C2', title: 'over-size events' },
  { id: 'C3', title: 'a killed process during sends', needs: ['durable'] },
  { id: 'C4', title: 'a killed process during deliveries' },
  { id: 'C5', title: 'a power cut, a garbled tail', needs: ['files'] },
  { id: 'C6', title: 'a failing fsync', needs: ['files'] },
  { id: 'C7', title: 'out-of-order settling and a crash' },
  { id: 'C8', title: 'one blocked and one failing subscription among twenty' },
  { id: 'C9', title: 'send latency beside a blocked subscription' },
  { id: 'C10', title: 'a new subscription among sends' },
  { id: 'C11', title: 'subscribed now, served later' },
  { id: 'C12', title: 'deleted and created again' },
  { id: 'C13', title: 'ordered under failures and restarts' },
  { id: 'C14', title: 'ordered: a blocked key' },
  { id: 'C15', title: 'waits end on time and count' },
  { id: 'C17', title: 'trimming with three subscriptions at different positions' },
  { id: 'C18', title: 'the cap: refused, and taken again once drained' },
  { id: 'C19', title: 'the log goes away for 5 s and 60 s' },
  { id: 'C20', title: 'the server comes back empty', needs: ['server'] },
  { id: 'C21', title: 'entries removed by a third party' },
  { id: 'C22', title: 'takeover of lanes' },
  { id: 'C23', title: 'a raised partition count', needs: ['kafka'] },
  { id: 'C24', title: 'a long backlog in bounded memory' },
  { id: 'C25', title: 'a publisher faster than the rest' },
  { id: 'C26', title: 'pause and resume under load' },
  { id: 'C27', title: 'close with drain' },
  { id: 'C28', title: 'two processes on one store, or a refused second one', needs: ['durable'] },
  { id: 'C29', title: 'lag' },
  { id: 'C30', title: 'a log removed under load' },
  { id: 'C31', title: '1,000 idle subscriptions' },
  { id: 'C32', title: 'authentication', needs: ['server'] },
  { id: 'C33', title: 'clock jumps' },
]

const NUMBERS = /^(?:[GC]\d+ )+/

/** Call it last in the backend's own describe: fails for each guarantee that no running test of it names. */
export function describeGuarantees(backend: Backend): void {
  describe('guarantees', () => {
    for (const { id, title, needs = [] } of guarantees) {
      const reasons = needs.flatMap((need) => reasonAgainst(need, backend) ?? [])
      if (reasons.length > 0) {
        it.skip(`${id}, ${title} [not promised: ${reasons.join('; ')}]`)
        continue
      }
      it(`${id}, ${title}: is named by a test`, function (this: Mocha.Context) {
        const whole =
          this.test?.parent?.parent ?? assert.fail('describeGuarantees stands inside the describe of a backend')
        const named = runningTests(whole).some((test) => numbersOf(test.title).includes(id))
        assert.ok(named, `no running test of '${whole.title}' begins with ${id}`)
      })
    }

    it('no test names a number that is not on the list', function (this: Mocha.Context) {
      const whole =
        this.test?.parent?.parent ?? assert.fail('describeGuarantees stands inside the describe of a backend')
      const known = new Set(guarantees.map(({ id }) => id))
      const strange = runningTests(whole).flatMap(({ title }) => numbersOf(title).filter((id) => !known.has(id)))
      assert.deepEqual(strange, [])
    })
  })
}

function runningTests(suite: Mocha.Suite): Mocha.Test[] {
  return [...suite.tests.filter((test) => !test.isPending()), ...suite.suites.flatMap(runningTests)]
}

function numbersOf(title: string): string[] {
  return NUMBERS.exec(title)?.[0].trim().split(' ') ?? []
}
