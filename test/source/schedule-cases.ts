// What becomes of times that passed while nobody could fire. Times are of 2026-01-02, in UTC; the schedule is `0 * * * *`,
// the whole hours.
import type { CatchUp } from '../../src/source/schedule.ts'

export interface CatchUpCase {
  readonly title: string
  readonly catchUp: CatchUp
  readonly catchUpMax?: number
  /** The last time that was fired before the start. */
  readonly lastAt?: string
  readonly startsAt: string
  /** When the process is frozen, or its clock set, and to when. */
  readonly jump?: readonly [from: string, to: string]
  /** Until when it runs. */
  readonly until: string
  /** What was due, and when it fired. */
  readonly fires: readonly (readonly [due: string, at: string])[]
  readonly skipped?: number
}

export const CATCH_UP_CASES: readonly CatchUpCase[] = [
  {
    title: 'none: a start looks at the future only',
    catchUp: 'none',
    lastAt: '02:00',
    startsAt: '05:30',
    until: '06:00',
    fires: [['06:00', '06:00']],
  },
  {
    title: 'none: a start at a time that is due does not fire it',
    catchUp: 'none',
    startsAt: '05:00',
    until: '06:00',
    fires: [['06:00', '06:00']],
  },
  {
    title: 'none: what passed while the process was frozen fires once',
    catchUp: 'none',
    startsAt: '00:30',
    jump: ['00:30', '03:30'],
    until: '04:00',
    fires: [
      ['03:00', '03:30'],
      ['04:00', '04:00'],
    ],
    skipped: 2,
  },
  {
    title: 'last: the latest that was missed fires at a start',
    catchUp: 'last',
    lastAt: '02:00',
    startsAt: '05:30',
    until: '06:00',
    fires: [
      ['05:00', '05:30'],
      ['06:00', '06:00'],
    ],
    skipped: 2,
  },
  {
    title: 'last: nothing fires at a start when nothing was missed',
    catchUp: 'last',
    lastAt: '05:00',
    startsAt: '05:30',
    until: '05:59',
    fires: [],
  },
  {
    title: 'last: a first start has missed nothing',
    catchUp: 'last',
    startsAt: '05:30',
    until: '05:59',
    fires: [],
  },
  {
    title: 'all: each that was missed fires at a start, oldest first',
    catchUp: 'all',
    lastAt: '02:00',
    startsAt: '05:30',
    until: '05:59',
    fires: [
      ['03:00', '05:30'],
      ['04:00', '05:30'],
      ['05:00', '05:30'],
    ],
  },
  {
    title: 'all: the oldest are skipped when there are more than the most',
    catchUp: 'all',
    catchUpMax: 2,
    lastAt: '00:00',
    startsAt: '05:30',
    until: '05:59',
    fires: [
      ['04:00', '05:30'],
      ['05:00', '05:30'],
    ],
    skipped: 3,
  },
  {
    title: 'all: each that passed while the process was frozen fires',
    catchUp: 'all',
    startsAt: '00:30',
    jump: ['00:30', '02:30'],
    until: '02:59',
    fires: [
      ['01:00', '02:30'],
      ['02:00', '02:30'],
    ],
  },
  {
    title: 'all: a clock that is set back by less than an hour fires nothing twice',
    catchUp: 'all',
    startsAt: '00:30',
    jump: ['01:10', '00:50'],
    until: '02:00',
    fires: [
      ['01:00', '01:00'],
      ['02:00', '02:00'],
    ],
  },
  {
    title: 'all: a clock that is set back by more starts anew',
    catchUp: 'all',
    startsAt: '05:30',
    jump: ['06:10', '02:50'],
    until: '03:00',
    fires: [
      ['06:00', '06:00'],
      ['03:00', '03:00'],
    ],
  },
  {
    title: 'last: what was fired in a future that is not is forgotten',
    catchUp: 'last',
    lastAt: '20:00',
    startsAt: '05:30',
    until: '06:00',
    fires: [['06:00', '06:00']],
  },
]
