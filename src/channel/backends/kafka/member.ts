// One member of the group that shares a log's lanes out. Joining again, as every change of the group asks for, stops
// nothing: whoever keeps a lane goes on with it meanwhile, and reads are not the group's affair.
import type { Clock, Timer } from '../../../core/clock.ts'
import { EventingError } from '../../../core/errors.ts'
import { assignLanes, type Candidate } from './assigner.ts'
import type { Node, Nodes } from './client.ts'
import { isRefusal, problemOf, typeOf } from './problem.ts'

export interface MemberOptions {
  readonly groupId: string
  /** Both have the same partitions. */
  readonly topics: readonly string[]
  readonly clock: Clock
  readonly sessionTimeoutMs: number
  connect(): Promise<Nodes>
  lanes(): Promise<number>
  /** Lanes that are served now. */
  serving(): readonly number[]
  /** What this member owns from now on. Other members are those that live: nobody else's claims need to be waited for. */
  assigned(lanes: readonly number[], memberId: string, members: ReadonlySet<string>): void
  /** The group may give the lanes to others any moment. Called by this process's clock before it does. */
  lost(): void
  /** What the group commits, for Kafka's own tools. */
  offsets(): ReadonlyMap<number, number>
  fault(what: string, error: unknown): void
}

const PROTOCOL = 'tidings'
const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 2_000
const COMMIT_MS = 5_000
const BEATS_PER_SESSION = 6
/** Of the session timeout: lanes are given up so much before the group would take them. */
const MARGIN = 0.2

/** Resolves once it has left the group. */
export async function runMember(options: MemberOptions, signal: AbortSignal): Promise<void> {
  const { groupId, topics, clock, sessionTimeoutMs } = options
  let memberId = ''
  let generationId = -1
  let nodes: Nodes | undefined
  let node: Node | undefined
  /** For heartbeats while the group is put together: what joins is answered only then, and answers come in order. */
  let beats: Nodes | undefined
  let deadline: Timer | undefined
  /** Lanes were given up, though the group may not know. */
  let isLost = false
  let failingSince: number | undefined
  let committedAt = -Infinity
  /** Lanes that this member knew of when it joined. */
  let known = 0

  function answeredAt(sentAt: number): void {
    deadline?.cancel()
    const left = sentAt + sessionTimeoutMs * (1 - MARGIN) - clock.now()
    deadline = clock.after(Math.max(0, left), () =>
      lose(`no heartbeat was answered for ${Math.round(clock.now() - sentAt)} ms`),
    )
  }

  function lose(why: string): void {
    isLost = true
    if (options.serving().length > 0) options.fault('keep its lanes', new EventingError('LANE_LOST', why))
    options.lost()
  }

  async function join(): Promise<void> {
    nodes ??= await options.connect()
    node = await nodes.coordinator(groupId)
    known = await options.lanes()
    const metadata = encodeMetadata(topics, { serving: options.serving(), lanes: known })
    const joining = new AbortController()
    void keepAlive(joining.signal)
    const request = {
      groupId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: sessionTimeoutMs,
      memberId,
      groupProtocols: [{ name: PROTOCOL, metadata }],
    }
    const joined = await node.joinGroup(request).finally(() => joining.abort())
    memberId = joined.memberId
    generationId = joined.generationId
    const groupAssignment = joined.leaderId === memberId ? await assignmentOf(joined.members) : []
    const sentAt = clock.now()
    const { memberAssignment } = await node.syncGroup({ groupId, generationId, memberId, groupAssignment })
    answeredAt(sentAt)
    const { lanes, members } = decodeAssignment(memberAssignment)
    isLost = false
    failingSince = undefined
    options.assigned(lanes, memberId, new Set(members))
  }

  /** Joining lasts as long as the group waits for somebody who died. Whoever serves lanes has them all that time. */
  async function keepAlive(joined: AbortSignal): Promise<void> {
    for (;;) {
      await clock.sleep(sessionTimeoutMs / BEATS_PER_SESSION, joined).catch(() => undefined)
      if (joined.aborted || memberId === '' || options.serving().length === 0) return
      const sentAt = clock.now()
      try {
        beats ??= await options.connect()
        await (await beats.coordinator(groupId)).heartbeat({ groupId, groupGenerationId: generationId, memberId })
        if (!joined.aborted) answeredAt(sentAt)
      } catch (error) {
        if (!joined.aborted && typeOf(error) === 'REBALANCE_IN_PROGRESS') answeredAt(sentAt)
      }
    }
  }

  async function assignmentOf(members: readonly { memberId: string; memberMetadata: Buffer }[]) {
    const candidates: Candidate[] = members.map((member) => ({
      memberId: member.memberId,
      serving: decodeMetadata(member.memberMetadata).serving,
    }))
    const ids = members.map((member) => member.memberId)
    // Partitions that were added are given to somebody once everybody has seen them.
    const lanes = Math.min(...members.map((member) => decodeMetadata(member.memberMetadata).lanes))
    const assigned = assignLanes(candidates, lanes)
    return ids.map((id) => ({
      memberId: id,
      memberAssignment: encodeAssignment(topics, assigned.get(id) ?? [], ids),
    }))
  }

  /** Until the group, or this member, has a reason to put it together again. */
  async function beat(): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(sessionTimeoutMs / BEATS_PER_SESSION, signal).catch(() => undefined)
      if (signal.aborted) return
      const sentAt = clock.now()
      await node?.heartbeat({ groupId, groupGenerationId: generationId, memberId })
      answeredAt(sentAt)
      if (clock.now() - committedAt >= COMMIT_MS) await commit()
      if (isLost || (await options.lanes()) !== known) return
    }
  }

  async function commit(): Promise<void> {
    const partitions = [...options.offsets()].map(([partition, offset]) => ({ partition, offset: String(offset) }))
    committedAt = clock.now()
    if (partitions.length === 0) return
    const [topic = ''] = topics
    const offsets = [{ topic, partitions }]
    await node?.offsetCommit({ groupId, groupGenerationId: generationId, memberId, topics: offsets })
  }

  for (let waitMs = FIRST_WAIT_MS; !signal.aborted; ) {
    try {
      await join()
      waitMs = FIRST_WAIT_MS
      await beat()
    } catch (error) {
      const type = typeOf(error) ?? ''
      if (type === 'REBALANCE_IN_PROGRESS') continue
      if (OUT_OF_GROUP.has(type)) {
        memberId = type === 'ILLEGAL_GENERATION' ? memberId : ''
        lose(`the group answered ${type}`)
      } else {
        // A group that was never there takes its time, and what passes at once is no news.
        failingSince ??= clock.now()
        const isNews = isRefusal(error) || clock.now() - failingSince > sessionTimeoutMs / 2
        if (isNews) options.fault('take part in the group', problemOf(error, groupId))
        if (isRefusal(error)) waitMs = LONGEST_WAIT_MS
        await nodes?.close()
        // Whoever asks a node of theirs once more, to leave the group, would connect it for good.
        nodes = undefined
        node = undefined
      }
      await clock.sleep(waitMs * (0.5 + Math.random()), signal).catch(() => undefined)
      waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)
    }
  }
  deadline?.cancel()
  if (memberId !== '') await node?.leaveGroup({ groupId, memberId }).catch(() => undefined)
  await Promise.all([nodes?.close(), beats?.close()])
}

const OUT_OF_GROUP = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID'])

// What follows is Kafka's own format of a consumer's metadata and assignment, so that its tools can show the group.

function encodeMetadata(topics: readonly string[], data: unknown): Buffer {
  return Buffer.concat([int16(0), int32(topics.length), ...topics.map(text), bytes(JSON.stringify(data))])
}

function decodeMetadata(metadata: Buffer): { readonly serving: readonly number[]; readonly lanes: number } {
  let at = 2
  const count = metadata.readInt32BE(at)
  at += 4
  for (let i = 0; i < count; i++) at += 2 + metadata.readInt16BE(at)
  return JSON.parse(metadata.subarray(at + 4).toString()) as { serving: number[]; lanes: number }
}

function encodeAssignment(topics: readonly string[], lanes: readonly number[], members: readonly string[]): Buffer {
  const assigned = topics.map((topic) => Buffer.concat([text(topic), int32(lanes.length), ...lanes.map(int32)]))
  return Buffer.concat([int16(0), int32(topics.length), ...assigned, bytes(JSON.stringify({ lanes, members }))])
}

function decodeAssignment(assignment: Buffer): { readonly lanes: number[]; readonly members: string[] } {
  if (assignment.length === 0) return { lanes: [], members: [] }
  let at = 2
  const count = assignment.readInt32BE(at)
  at += 4
  for (let i = 0; i < count; i++) {
    at += 2 + assignment.readInt16BE(at)
    at += 4 + 4 * assignment.readInt32BE(at)
  }
  return JSON.parse(assignment.subarray(at + 4).toString()) as { lanes: number[]; members: string[] }
}

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2)
  buffer.writeInt16BE(value)
  return buffer
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32BE(value)
  return buffer
}

function text(value: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)])
}

function bytes(value: string): Buffer {
  return Buffer.concat([int32(Buffer.byteLength(value)), Buffer.from(value)])
}
