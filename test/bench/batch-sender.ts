// Fills a log as fast as it can be filled over HTTP: events in batches. For what is measured once they are stored.
import { Pool } from 'undici'
import { options, serve } from './child.ts'
import { eventData, eventHeaders, eventId, ID_LENGTH, machineTimeUs } from './event.ts'
import { batchSenderSchema, type Fill, fillSchema } from './protocol.ts'

const CONNECTIONS = 4

const { port, path, payload, perRequest, before } = options(batchSenderSchema)
const pool = new Pool(`http://127.0.0.1:${port}`, { connections: CONNECTIONS, pipelining: 1 })
const { text, idOffsets } = requestText()
let sequence = before

serve({}, fillSchema, fill)

/** Sends so many events; resolves once all are answered with 202. */
async function fill({ events }: Fill): Promise<unknown> {
  let left = Math.ceil(events / perRequest)
  const send = async (): Promise<void> => {
    const body = Buffer.from(text)
    while (left-- > 0) {
      for (const offset of idOffsets) body.write(eventId(++sequence, machineTimeUs()), offset, 'latin1')
      await post(body)
    }
  }
  const first = sequence
  await Promise.all(Array.from({ length: CONNECTIONS }, send))
  return { accepted: sequence - first }
}

async function post(body: Buffer): Promise<void> {
  const headers = { 'content-type': 'application/cloudevents-batch+json' }
  const response = await pool.request({ method: 'POST', path, headers, body })
  const text = await response.body.text()
  if (response.statusCode !== 202) throw new Error(`a batch was answered with ${response.statusCode}: ${text}`)
}

/** One request with room for the ids, and where these stand in it. */
function requestText(): { readonly text: string; readonly idOffsets: readonly number[] } {
  const id = '#'.repeat(ID_LENGTH)
  const headers = eventHeaders(id)
  const attributes = headers.flatMap((name, i) =>
    i % 2 === 0 && name.startsWith('ce-') ? [[name.slice('ce-'.length), headers[i + 1]]] : [],
  )
  const event = {
    ...Object.fromEntries(attributes),
    datacontenttype: 'application/json',
    data: JSON.parse(eventData(payload).toString()),
  }
  const text = JSON.stringify(Array.from({ length: perRequest }, () => event))
  return { text, idOffsets: [...text.matchAll(new RegExp(id, 'g'))].map(({ index }) => index) }
}
