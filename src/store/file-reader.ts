// Manifests as they were read last, each file's last good version with what is wrong with it now. A file is read when it has
// changed and nobody writes to it any more.
import path from 'node:path'
import type { Clock } from '../core/clock.ts'
import { combine, isUnchanged, type ManifestFile, type Part, readFile } from '../resource/load.ts'
import type { Problem } from '../resource/problems.ts'

/** What is gone for so long counts as deleted: editors pull files away and put them back. */
export const VANISHED_MS = 2_000
/** A file is read once nobody has written to it for so long: half of one may be a whole manifest of another meaning. */
export const STILL_MS = 200
/** One that is written all the time is read as it is. */
const NEVER_STILL_MS = 2_000
/** Where a file system tells whole seconds only, a file may be written again without looking different. */
const COARSE_MS = 1_000
/** What is done before the event loop turns: the data path shares it. */
const SLICE_MS = 10

export interface Reader {
  /** Reads all of them as they are. */
  readAll(files: readonly ManifestFile[]): Promise<void>
  /** Reads those that changed since and are no longer being written. Resolves with when the rest is to be tried, in ms. */
  read(files: readonly ManifestFile[], lookedAt: number): Promise<number>
  /** The last good version of each. */
  good(files: readonly ManifestFile[]): readonly Part[]
  problems(files: readonly ManifestFile[]): readonly Problem[]
  /** Those that are known of these paths and below them. */
  below(paths: readonly string[]): readonly ManifestFile[]
}

/** A file, as it was read last. It is remembered for a while after it vanished, too. */
interface Known {
  /** As it was seen last. */
  readonly file: ManifestFile
  /** Of what was read; nothing's when it has to be read again. */
  readonly signature: string
  readonly good: Part
  readonly problems: readonly Problem[]
  readonly writing: Writing | undefined
  readonly goneSince: number | undefined
}

/** A file that changed and was not read yet. Both are on the monotonic clock. */
interface Writing {
  readonly since: number
  readonly lastSince: number
}

const NOTHING: Part = { resources: [], problems: [] }

export function createReader(clock: Clock): Reader {
  const known = new Map<string, Known>()
  const giveWay = createTurns(clock)

  function forgetGone(files: readonly ManifestFile[], lookedAt: number): void {
    const names = new Set(files.map(({ name }) => name))
    for (const [name, before] of known) {
      const { goneSince = lookedAt } = before
      if (names.has(name)) continue
      if (lookedAt - goneSince < VANISHED_MS) known.set(name, { ...before, goneSince })
      else known.delete(name)
    }
  }

  /** Notes that it changed. */
  function sight(file: ManifestFile): Writing {
    const before = known.get(file.name)
    const now = clock.now()
    const { since = now, lastSince = now } = before?.writing ?? {}
    const writing = { since, lastSince: before?.file.signature === file.signature ? lastSince : now }
    const { signature = '', good = NOTHING, problems = [] } = before ?? {}
    known.set(file.name, { file, signature, good, problems, writing, goneSince: undefined })
    return writing
  }

  async function read(file: ManifestFile): Promise<Known> {
    const before = known.get(file.name)
    const readAt = clock.wall()
    const part = await readFile(file, giveWay)
    const { problems } = combine([part])
    const good = problems.length === 0 ? part : (before?.good ?? NOTHING)
    const mayHideMore = file.changedAt % COARSE_MS === 0 && readAt - file.changedAt < 2 * COARSE_MS
    const signature = mayHideMore ? '' : file.signature
    return { file, signature, good, problems, writing: undefined, goneSince: undefined }
  }

  /** How long to wait before this changed file is tried; 0 when it was read. */
  async function readIfStill(file: ManifestFile): Promise<number> {
    const { since, lastSince } = sight(file)
    const isTired = clock.now() - since >= NEVER_STILL_MS
    const waitMs = lastSince + STILL_MS - clock.now()
    if (waitMs > 0 && !isTired) return waitMs
    const reading = await read(file)
    // It may have been written to while it was read.
    if (!isTired && !(await isUnchanged(file))) return STILL_MS
    known.set(file.name, reading)
    return 0
  }

  return {
    async readAll(files) {
      for (const file of files) known.set(file.name, await read(file))
    },
    async read(files, lookedAt) {
      forgetGone(files, lookedAt)
      let moreInMs = Infinity
      for (const file of files) {
        const before = known.get(file.name)
        if (before?.signature === file.signature) {
          known.set(file.name, { ...before, file, writing: undefined, goneSince: undefined })
          continue
        }
        moreInMs = Math.min(moreInMs, (await readIfStill(file)) || Infinity)
      }
      return moreInMs
    },
    good: (files) => files.map(({ name }) => known.get(name)?.good ?? NOTHING),
    problems: (files) => files.flatMap(({ name }) => known.get(name)?.problems ?? []),
    below: (paths) =>
      [...known.values()].flatMap(({ file }) =>
        paths.some((each) => file.name === each || file.name.startsWith(`${each}${path.sep}`)) ? [file] : [],
      ),
  }
}

/** What may be waited for between two pieces of work; nothing while the event loop has turned lately. */
export function createTurns(clock: Clock): () => Promise<void> | undefined {
  let turnedAt = clock.now()
  return () => {
    if (clock.now() - turnedAt < SLICE_MS) return undefined
    return new Promise((resolve) =>
      setImmediate(() => {
        turnedAt = clock.now()
        resolve()
      }),
    )
  }
}
