// The other end of processes.ts: what each script that the bench starts has in common.
import type { z } from 'zod'
import { requestSchema } from './protocol.ts'

/** What the script was started with. */
export function options<T>(schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(process.argv[2] ?? '{}'))
}

/** Greets the bench, then answers its commands until it is gone. */
export function serve<T>(greeting: unknown, schema: z.ZodType<T>, answer: (command: T) => Promise<unknown>): void {
  process.on('message', (message) => {
    const { id, command } = requestSchema.parse(message)
    // Words are for the probe.
    if (typeof command === 'string') return
    // A rejection ends the process, and the bench tells its output.
    void answer(schema.parse(command)).then((reply) => process.send?.({ id, reply }))
  })
  // The probe let go of it.
  process.channel?.ref()
  process.send?.({ id: 0, reply: greeting })
}
