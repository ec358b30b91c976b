import { memoryTraits, openMemoryStore } from '../../src/channel/backends/memory.ts'
import type { Backend } from './backend.ts'
import { describeChannel } from './channel.ts'
import { describeGuarantees } from './guarantees.ts'
import { describeLog } from './log.ts'

// No tail of settled events: what is trimmed is gone at once, as the suite expects of every backend.
const memory: Backend = { traits: memoryTraits(), open: async () => openMemoryStore({ tailBytes: 0 }) }

describe('conformance of memory', () => {
  describeLog('memory', memory)
  describeChannel('memory', memory)
  describeGuarantees(memory)
})
