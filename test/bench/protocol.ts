// What the bench and the processes it starts say to each other. Every message crosses a border between processes, so it
// is parsed on arrival.
import { z } from 'zod'

export const requestSchema = z.object({ id: z.number(), command: z.unknown() })
export const responseSchema = z.object({ id: z.number(), reply: z.unknown() })

/** The answer of probe.mjs. */
export const usageSchema = z.object({
  /** User and system time of all threads since the process started. */
  cpuUs: z.number(),
  rssBytes: z.number(),
  heapBytes: z.number(),
  /** To servers, by the port they listen on: connections that are open, and bytes read from all that ever were. */
  servers: z.record(z.string(), z.object({ connections: z.number(), receivedBytes: z.number() })),
})
export type Usage = z.infer<typeof usageSchema>

export const listeningSchema = z.object({ port: z.number() })
export const doneSchema = z.object({})

/** One event: a CloudEvent in binary mode whose data have this size. */
export const payloadSchema = z.object({ dataBytes: z.number() })
export type Payload = z.infer<typeof payloadSchema>

/** Bounds how many events are under way, from the sender to the last of their copies at the sink. */
export const paceSchema = z.object({
  sinkPort: z.number(),
  /** Of the sink's paths that the events come to. */
  prefix: z.string(),
  copies: z.number(),
  underWay: z.number(),
})
export type Pace = z.infer<typeof paceSchema>

export const senderSchema = z.object({
  port: z.number(),
  /** Each connection sends to one of them; they are as many on each, give or take one. */
  paths: z.array(z.string()),
  payload: payloadSchema,
  connections: z.number(),
  pace: paceSchema.optional(),
})
export type SenderOptions = z.infer<typeof senderSchema>

/** Without a rate, each connection sends its next event as soon as the last is answered and the pace allows. */
export const sendSchema = z.object({ forMs: z.number(), ratePerS: z.number().optional() })
export type Send = z.infer<typeof sendSchema>

export const sentSchema = z.object({
  /** Answered with 202. */
  accepted: z.number(),
  /** Other answers by status. */
  refused: z.record(z.string(), z.number()),
  /** Answers with 503 that did not say when to come again. */
  withoutRetryAfter: z.number(),
  /** Requests whose connection broke before the answer. */
  broken: z.number(),
  /** Events that were due while all connections were busy, and still were when the time was over. */
  unsent: z.number(),
  /** From an event's turn to send to its answer; only of those sent at a rate. */
  answerP50Ms: z.number().optional(),
  answerP99Ms: z.number().optional(),
})
export type Sent = z.infer<typeof sentSchema>

export const bareClientSchema = z.object({ port: z.number(), payload: payloadSchema, inFlight: z.number() })

const behaviourSchema = z.object({
  /** How long each answer waits. */
  delayMs: z.number(),
  /** Keeps answers back until the behaviour of this path changes. */
  hold: z.boolean(),
  /** Answers 200 with an event that has this much data, instead of 202. */
  replyBytes: z.number().optional(),
})
export type Behaviour = z.infer<typeof behaviourSchema>

export const sinkSchema = z.discriminatedUnion('do', [
  z.object({ do: z.literal('behave'), path: z.string(), behaviour: behaviourSchema }),
  /** Of all paths that start so. */
  z.object({ do: z.literal('count'), prefix: z.string() }),
  z.object({ do: z.literal('record'), prefix: z.string() }),
  /** Of the events since `record` to paths that start so; ends it. */
  z.object({ do: z.literal('latency') }),
])
export type SinkCommand = z.infer<typeof sinkSchema>

export const countSchema = z.object({
  received: z.number(),
  /** Events, once for each path that they came to. */
  distinct: z.number(),
})
export type Count = z.infer<typeof countSchema>

/** From the sender's turn to send to the sink's reading of the whole request. */
export const latencySchema = z.object({ p50Ms: z.number(), p99Ms: z.number() })
export type Latency = z.infer<typeof latencySchema>

export const fdatasyncSchema = z.object({ file: z.string(), bytes: z.number() })

export const batchSenderSchema = z.object({
  port: z.number(),
  path: z.string(),
  payload: payloadSchema,
  perRequest: z.number(),
  /** Events that were sent before, by another sender. */
  before: z.number(),
})
export type BatchSenderOptions = z.infer<typeof batchSenderSchema>

export const fillSchema = z.object({ events: z.number() })
export type Fill = z.infer<typeof fillSchema>
export const filledSchema = z.object({ accepted: z.number() })

/** The greeting of heap.ts. */
export const heapSchema = z.object({ bytesPerTrigger: z.number() })
