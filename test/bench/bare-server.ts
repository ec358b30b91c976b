// What receiving an event costs with nothing around it: node:http that collects the body and answers 202.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { z } from 'zod'
import { serve } from './child.ts'

/** As long as the program's, so that neither opens connections anew between its turns. */
const KEEP_ALIVE_MS = 75_000

const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    if (chunks.length > 1) Buffer.concat(chunks)
    response.statusCode = 202
    response.end()
  })
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
if (address === null || typeof address === 'string') throw new Error('expected a TCP address')
serve({ port: address.port }, z.never(), async () => undefined)
