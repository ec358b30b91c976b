// The same comparison as e2e.ts with large events. These rows have no limits: they show where bytes begin to cost.
import { compareWithBare } from './e2e.ts'
import type { Part } from './part.ts'

const KIB = 1_024

export const sizes: Part = {
  name: 'sizes',
  about: '64 KiB, and 1 MiB less 1 KiB',
  async run(context) {
    // Fewer under way: what is measured is copying, not how much memory the queues may hold.
    const middle = await compareWithBare(context, {
      name: '64 KiB',
      payload: { dataBytes: 64 * KIB },
      inFlight: 16,
    })
    await context.fleet.stop()
    const large = await compareWithBare(context, {
      name: '1 MiB - 1 KiB',
      payload: { dataBytes: 1_023 * KIB },
      inFlight: 4,
    })
    return { rows: [...middle.rows, ...large.rows], ledger: [...middle.ledger, ...large.ledger] }
  },
}
