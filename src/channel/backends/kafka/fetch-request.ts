// A Fetch request as bytes: it names every partition that is followed, each time.
// @see Kafka protocol guide, Fetch version 11
import type { Node } from './client.ts'
import { newOutput, putInt8, putInt16, putInt32, putInt64, putName, written } from './output.ts'

export type FetchRequest = Parameters<Node['fetch']>[0]

/** A client, not another node. */
const NO_REPLICA = -1
const NO_SESSION = -1
const UNKNOWN = -1
const PARTITION_BYTES = 28

export function encodeFetch({ isolationLevel, maxWaitTime, minBytes, maxBytes, topics }: FetchRequest): Buffer {
  const size = topics.reduce(
    (sum, { topic, partitions }) => sum + topic.length + PARTITION_BYTES * partitions.length,
    0,
  )
  const out = newOutput(size + 6 * topics.length + 64)
  putInt32(out, NO_REPLICA)
  putInt32(out, maxWaitTime)
  putInt32(out, minBytes)
  putInt32(out, maxBytes)
  putInt8(out, isolationLevel)
  putInt32(out, 0)
  putInt32(out, NO_SESSION)
  putInt32(out, topics.length)
  for (const { topic, partitions } of topics) {
    putName(out, topic)
    putInt32(out, partitions.length)
    for (const { partition, fetchOffset, maxBytes } of partitions) {
      putInt32(out, partition)
      putInt32(out, UNKNOWN) // its leader's epoch
      putInt64(out, Number(fetchOffset))
      putInt64(out, UNKNOWN) // where a follower's log starts
      putInt32(out, maxBytes)
    }
  }
  putInt32(out, 0) // nothing to forget
  putInt16(out, 0) // no rack
  return written(out)
}
