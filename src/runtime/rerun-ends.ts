// How replays and redrives end: first the store says that one is over, then its cursor goes, then its value. Whatever
// happens in between, and however long its log is away, it never begins anew, and no cursor of it holds the log for ever.
import type { Channel } from '../channel/channel.ts'
import type { Values } from '../core/values.ts'
import type { Logger } from '../observe/logger.ts'
import type { ResourceKey } from '../store/resource-store.ts'
import { aboutJob, cursorIdOf, JOB_PREFIX, type Job } from './rerun-job.ts'

export interface RerunEnds {
  /** `channel` has its cursor; while there is none, that waits for `opened` or `removed`. Never rejects. */
  end(job: Job, channel: Channel | undefined): Promise<void>
  /** The logs of this key and uid can be reached; those of others that had the key are gone. */
  opened(hub: ResourceKey, uid: string): void
  /** The logs that were this key's and uid's are removed, and all cursors in them. */
  removed(hub: ResourceKey, uid: string): void
  /** Nothing is being stored. */
  settled(): Promise<void>
}

export function createRerunEnds(
  { values, logger }: { readonly values: Values; readonly logger: Logger },
  /** Undefined while the log is away. */
  channelOf: (job: Job) => Channel | undefined,
): RerunEnds {
  /** Those whose cursor or value is there still. */
  const left = new Map<string, Job>()
  const running = new Set<Promise<void>>()
  for (const [key, text] of values.entries(JOB_PREFIX)) {
    const job = JSON.parse(text) as Job
    if (job.isOver) left.set(key.slice(JOB_PREFIX.length), job)
  }

  async function end(job: Job, channel: Channel | undefined): Promise<void> {
    // Small, so that it is stored on a full disk too.
    const { letters: _, ...rest } = job
    const over: Job = { ...rest, isOver: true }
    left.set(job.id, over)
    await tell(over, 'it was not stored as over', values.put(JOB_PREFIX + job.id, JSON.stringify(over)))
    if (channel) await dropCursor(over, channel)
  }

  async function dropCursor(job: Job, channel: Channel): Promise<void> {
    const isDropped = await tell(job, 'its cursor was not dropped', channel.unsubscribe(cursorIdOf(job)))
    if (isDropped) await forget(job)
  }

  async function forget(job: Job): Promise<void> {
    left.delete(job.id)
    await tell(job, 'it was not forgotten', values.delete(JOB_PREFIX + job.id))
  }

  async function tell(job: Job, what: string, task: Promise<void>): Promise<boolean> {
    try {
      await task
      return true
    } catch (error) {
      logger.error({ err: error, ...aboutJob(job) }, `the end of a ${job.kind}: ${what}`)
      return false
    }
  }

  function track(task: Promise<void>): Promise<void> {
    running.add(task)
    return task.finally(() => running.delete(task))
  }

  return {
    end: (job, channel) => track(end(job, channel)),
    opened(hub, uid) {
      for (const job of [...left.values()]) {
        if (job.hub !== hub) continue
        const channel = channelOf(job)
        if (job.hubUid !== uid) void track(forget(job))
        else if (channel) void track(dropCursor(job, channel))
      }
    },
    removed(hub, uid) {
      for (const job of [...left.values()]) if (job.hub === hub && job.hubUid === uid) void track(forget(job))
    },
    async settled() {
      while (running.size > 0) await Promise.all(running)
    },
  }
}
