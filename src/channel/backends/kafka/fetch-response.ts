// What a Fetch is answered with, but for the records in it: kafkajs reads all of them at once, copies all headers of one
// for each of them, and reckons offsets and times in BigInts.
// @see Kafka protocol guide, Fetch version 11, and record batch version 2
import type { FetchedPartition } from './client.ts'
import { type Input, int16, int32, int64, skip, textOf } from './input.ts'
import { recordsIn } from './records.ts'

/** As kafkajs' decoder of this version has it, with records in place of its messages. */
export interface FetchResponse {
  readonly clientSideThrottleTime: number
  readonly errorCode: number
  readonly responses: readonly {
    readonly topicName: string
    readonly partitions: readonly (FetchedPartition & { readonly errorCode: number })[]
  }[]
}

/** Undefined where a batch is compressed or of an older kind: few are, and kafkajs reads those. Throws LOG_UNAVAILABLE. */
export function decodeFetch(payload: Buffer): FetchResponse | undefined {
  const input: Input = { bytes: payload, at: 0, end: payload.length }
  const clientSideThrottleTime = int32(input)
  const errorCode = int16(input)
  int32(input) // session
  const responses: FetchResponse['responses'][number][] = []
  for (let topics = int32(input); topics > 0; topics--) {
    const topicName = textOf(input, int16(input))
    const partitions: FetchResponse['responses'][number]['partitions'][number][] = []
    for (let count = int32(input); count > 0; count--) {
      const partition = partitionAt(input)
      if (!partition) return undefined
      partitions.push(partition)
    }
    responses.push({ topicName, partitions })
  }
  return { clientSideThrottleTime, errorCode, responses }
}

function partitionAt(input: Input): FetchResponse['responses'][number]['partitions'][number] | undefined {
  const partition = int32(input)
  const errorCode = int16(input)
  const highWatermark = String(int64(input))
  int64(input) // the last stable offset
  const lastStartOffset = String(int64(input))
  for (let aborted = int32(input); aborted > 0; aborted--) skip(input, 16)
  int32(input) // the replica to read from
  const length = Math.max(0, int32(input))
  const start = input.at
  skip(input, length)
  const records = recordsIn({ bytes: input.bytes, at: start, end: input.at })
  return records && { partition, errorCode, highWatermark, lastStartOffset, records }
}
