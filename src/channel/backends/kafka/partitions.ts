// The partitions of a log as its lanes: those that are there when it is opened, and those that are added later.
import { randomUUID } from 'node:crypto'
import { eventBytes } from '../../../core/event.ts'
import { openCursorPartition } from './cursor-partition.ts'
import { madeRecord } from './cursor-table.ts'
import type { Feeds } from './feeds.ts'
import { createKafkaLane, type KafkaLane } from './kafka-lane.ts'
import { typeOf } from './problem.ts'
import { decodeRecord } from './record.ts'
import { NO_RECORDS } from './records.ts'
import type { Wire } from './wire.ts'

export interface Partitions {
  /** By partition; there may be more after `takeUp`. */
  readonly lanes: readonly KafkaLane[]
  /** Those that are not lanes yet: of events that came before anybody saw them none is missed. One call at a time. */
  takeUp(): Promise<void>
}

export interface PartitionsOptions {
  readonly topic: string
  readonly cursorsTopic: string
  readonly wire: Wire
  readonly feeds: Feeds
  trim(lane: KafkaLane): void
}

const SAMPLE_BYTES = 2 ** 18

export function createPartitions({ topic, cursorsTopic, wire, feeds, trim }: PartitionsOptions): Partitions {
  const lanes: KafkaLane[] = []

  async function openLanes(count: number): Promise<readonly KafkaLane[]> {
    const [starts, ends] = [await wire.offsets(topic, 'start'), await wire.offsets(topic, 'end')]
    const added: KafkaLane[] = []
    for (let partition = lanes.length; partition < count; partition++) {
      const cursors = openCursorPartition(wire, feeds, cursorsTopic, partition)
      const range = { start: starts[partition] ?? 0, end: ends[partition] ?? 0 }
      added.push(createKafkaLane(partition, cursors, range, trim))
    }
    await Promise.all(added.map(({ cursors }) => cursors.sync()))
    await Promise.all(added.map(sample))
    return added
  }

  /** What the oldest entries count as, for all that was there before: a log is not read as a whole to be opened. */
  async function sample({ partition, ledger }: KafkaLane): Promise<void> {
    if (ledger.end === ledger.start) return
    const { records } = await wire.fetch(topic, partition, ledger.start, SAMPLE_BYTES).catch((error) => {
      // Somebody trims meanwhile.
      if (typeOf(error) === 'OFFSET_OUT_OF_RANGE') return { records: NO_RECORDS }
      throw error
    })
    for (const message of records.from(ledger.start)) {
      const event = decodeRecord(message)
      if (event) ledger.learn(message.offset, eventBytes(event))
    }
  }

  return {
    lanes,
    async takeUp() {
      const count = await wire.partitions(topic, true)
      if (count <= lanes.length) return
      await wire.growTopic(cursorsTopic, count)
      const added = await openLanes(count)
      const first = lanes[0] ?? added[0]
      if (first) await Promise.all(added.map((lane) => placeCursors(first, lane)))
      lanes.push(...added)
    },
  }
}

/**
 * A partition that nobody has written of, beside one that was owned, was added: cursors begin at its start. In one batch,
 * so that it is done or not; whoever does it, too, changes nothing.
 */
async function placeCursors(first: KafkaLane, { cursors, ledger }: KafkaLane): Promise<void> {
  if (cursors.table.next > 0 || first.cursors.table.epoch < 0) return
  await first.cursors.sync()
  const ids = [...first.cursors.table.cursors.keys()]
  await cursors.write(ids.map((id) => madeRecord(id, ledger.start, randomUUID())))
}
