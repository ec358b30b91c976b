import { memoryTraits, openMemoryStore } from '../../src/channel/backends/memory.ts'
import { createClock } from '../../src/core/clock.ts'
import type { Backend } from './backend.ts'
import { describeChannel } from './channel.ts'
import { describeGuarantees } from './guarantees.ts'
import { describeLog } from './log.ts'

const memory: Backend = { traits: memoryTraits(), open: async (clock = createClock()) => openMemoryStore({ clock }) }

describe('conformance of memory', () => {
  describeLog('memory', memory)
  describeChannel('memory', memory)
  describeGuarantees(memory)
})
