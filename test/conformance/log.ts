// The seam alone: what every EventLog promises, whoever stands above it. A backend that passes this and channel.ts
// needs no other test of its promises, only of its own workings (files, scripts, groups).
import type { Backend } from './backend.ts'
import { describeAppending } from './log/append.ts'
import { describeCursors } from './log/cursor.ts'
import { describeExpiry } from './log/expiry.ts'
import { describeLifetime } from './log/lifetime.ts'
import { describeReading } from './log/read.ts'
import { describeRetention } from './log/retention.ts'
import { describeTrimming } from './log/trim.ts'

export function describeLog(name: string, backend: Backend): void {
  describe(`log on ${name}`, () => {
    describeAppending(backend)
    describeReading(backend)
    describeCursors(backend)
    describeTrimming(backend)
    describeRetention(backend)
    describeExpiry(backend)
    describeLifetime(backend)
  })
}
