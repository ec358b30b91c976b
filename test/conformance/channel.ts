// The fan-out over a backend's log: who gets an event, when, how often, and what is left after a crash. It is written
// once, above the seam, so these cases say the same of every backend; faulty.ts adds what a backend cannot be made to do.
import type { Backend } from './backend.ts'
import { describeBounded } from './channel/bounded.ts'
import { describeCursorKeeping } from './channel/cursor.ts'
import { describeExpired } from './channel/expiry.ts'
import { describeFanOut } from './channel/fan-out.ts'
import { describeFaults } from './channel/faults.ts'
import { describeFullLog } from './channel/full-log.ts'
import { describeLag } from './channel/lag.ts'
import { describeLifecycle } from './channel/lifecycle.ts'
import { describeLimits } from './channel/limits.ts'
import { describeMended } from './channel/mended.ts'
import { describeOrdering } from './channel/ordering.ts'
import { describeReaders } from './channel/readers.ts'
import { describeScale } from './channel/scale.ts'
import { describeSealing } from './channel/sealing.ts'
import { describeSkipping } from './channel/skipping.ts'
import { describeStart } from './channel/start.ts'
import { describeWaits } from './channel/waits.ts'

export function describeChannel(name: string, backend: Backend): void {
  describe(`channel on ${name}`, () => {
    describeFanOut(backend)
    describeStart(backend)
    describeReaders(backend)
    describeOrdering(backend)
    describeWaits(backend)
    describeLimits(backend)
    describeFullLog(backend)
    describeCursorKeeping(backend)
    describeLifecycle(backend)
    describeBounded(backend)
    describeSkipping(backend)
    describeSealing(backend)
    describeLag(backend)
    describeFaults(backend)
    describeExpired(backend)
    describeScale(backend)
    describeMended(backend)
  })
}
