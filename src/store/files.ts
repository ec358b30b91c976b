// The manifests that `-f` names, followed while they change: each file's last good version is what is applied. A save that
// is broken is told and changes nothing; what vanishes counts as deleted only after a while, since editors write files
// anew and pull them away under their names.
import { type FSWatcher, watch } from 'node:fs'
import path from 'node:path'
import type { Clock, Timer } from '../core/clock.ts'
import type { Logger } from '../observe/logger.ts'
import { updateErrors } from '../resource/immutable.ts'
import {
  combine,
  findFiles,
  isUnchanged,
  type LoadedResource,
  type ManifestFile,
  type Part,
  readFile,
} from '../resource/load.ts'
import { formatProblem, type Problem, problemAt } from '../resource/problems.ts'
import { BUILT_IN, keyOfResource, type ResourceKey, type ResourceStore } from './resource-store.ts'

export interface FilesOptions {
  readonly paths: readonly string[]
  readonly store: ResourceStore
  readonly clock: Clock
  readonly logger: Logger
}

export interface Files {
  /** What is wrong with the files as they are now; the last good version of each is applied all the same. */
  problems(): readonly Problem[]
  /** Resolves when what the files say now is applied. */
  look(): Promise<void>
  close(): Promise<void>
}

export type FirstLook =
  | { readonly kind: 'loaded'; readonly notices: readonly Problem[]; follow(): Files }
  /** Nothing was applied. */
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }

/** How often the files are looked at when nothing says that they changed. */
const LOOK_MS = 1_000
/** So long after a hint: several saves come together. */
const HINT_MS = 50
const VANISHED_MS = 2_000
/** A file is read once nobody has written to it for so long: half of one may be a whole manifest of another meaning. */
const STILL_MS = 200
/** One that is written all the time is read as it is. */
const NEVER_STILL_MS = 2_000
/** Where a file system tells whole seconds only, a file may be written again without looking different. */
const COARSE_MS = 1_000
/** What is done before the event loop turns: the data path shares it. */
const SLICE_MS = 10

/** Reads all files and applies what they say, unless anything is wrong. */
export async function openFiles(options: FilesOptions): Promise<FirstLook> {
  const reader = createReader(options)
  const { files, folders, problems: missing } = await findFiles(options.paths)
  await reader.readAll(files)
  const { resources, problems: across, notices } = combine(reader.good(files))
  const problems = [...missing, ...reader.problems(files), ...across]
  if (problems.length > 0) return { kind: 'refused', problems }
  const applied = new Map<ResourceKey, Applied>()
  for (const loaded of resources) {
    applied.set(keyOfResource(loaded.resource), { loaded, refused: [], missingSince: undefined })
    options.store.put(loaded.resource, originOf(loaded))
  }
  return { kind: 'loaded', notices, follow: () => follow(options, reader, applied, [...folders, ...foldersOf(files)]) }
}

/** A resource that the files have, or had until a moment ago. */
interface Applied {
  readonly loaded: LoadedResource
  /** Why it is not what is applied, but an older one. */
  readonly refused: readonly Problem[]
  /** On the monotonic clock. */
  readonly missingSince: number | undefined
}

function follow(
  { paths, store, clock, logger }: FilesOptions,
  reader: Reader,
  applied: Map<ResourceKey, Applied>,
  firstFolders: readonly string[],
): Files {
  /** How long the last look took: looks take a fifth of the time at most, however many files there are. */
  let tookMs = 0
  const hints = createHints(() => lookIn(Math.max(HINT_MS, 4 * tookMs)))
  const giveWay = createTurns(clock)
  let problems: readonly Problem[] = []
  let looking: Promise<void> | undefined
  let moreInMs = Infinity
  let vanishesInMs = Infinity
  let timer: Timer | undefined
  let dueAt = Infinity
  let isClosed = false

  function lookIn(ms: number): void {
    if (isClosed || clock.now() + ms >= dueAt) return
    timer?.cancel()
    dueAt = clock.now() + ms
    timer = clock.after(ms, () => {
      dueAt = Infinity
      void look()
    })
  }

  async function look(): Promise<void> {
    while (looking) await looking
    const beganAt = clock.now()
    looking = lookOnce()
      .catch((error: unknown) => logger.error({ err: error }, 'the manifests could not be looked at; trying again'))
      .finally(() => {
        looking = undefined
        tookMs = clock.now() - beganAt
        lookIn(Math.max(Math.min(LOOK_MS, moreInMs, vanishesInMs), 4 * tookMs))
      })
    await looking
  }

  async function lookOnce(): Promise<void> {
    const lookedAt = clock.now()
    const found = await findFiles(paths)
    const files = [...found.files, ...reader.below(found.unreadable)]
    hints.watch([...found.folders, ...foldersOf(files)])
    moreInMs = await reader.read(files, lookedAt)
    const { wanted, across } = wantedOf(reader.good(files))
    const refused = await putAll(wanted)
    await deleteVanished(wanted, lookedAt)
    const isUnreadable = ({ file }: Problem): boolean => found.unreadable.includes(file)
    tellNew({
      kept: [...found.problems.filter(isUnreadable), ...reader.problems(files), ...across, ...refused],
      // What vanishes from a folder is no problem.
      gone: found.problems.filter((problem) => paths.includes(problem.file) && !isUnreadable(problem)),
    })
  }

  /** Found out once for as long as no file changes. */
  let last: Wanted = { parts: [], wanted: new Map(), across: [] }
  function wantedOf(parts: readonly Part[]): Wanted {
    const isSame = parts.length === last.parts.length && parts.every((part, i) => part === last.parts[i])
    if (isSame) return last
    const { resources, foreign, problems: across } = combine(parts)
    // What is applied stays so: that its class is another one now is refused, not followed by deleting it.
    const stays = foreign.filter(({ resource }) => applied.has(keyOfResource(resource)))
    last = { parts, wanted: chosen([...resources, ...stays], applied), across }
    return last
  }

  async function putAll(wanted: Wanted['wanted']): Promise<readonly Problem[]> {
    const allRefused: Problem[] = []
    for (const [key, loaded] of wanted) {
      const before = applied.get(key)
      const isThere = before?.loaded === loaded && before.refused.length === 0 && store.get(key) !== undefined
      const refused = isThere ? [] : put(key, loaded)
      allRefused.push(...refused)
      if (!isThere || before.missingSince !== undefined) applied.set(key, { loaded, refused, missingSince: undefined })
      const turn = giveWay()
      if (turn) await turn
    }
    return allRefused
  }

  /** By when the files were looked at: reading them may have taken longer than what vanished is waited for. */
  async function deleteVanished(wanted: Wanted['wanted'], lookedAt: number): Promise<void> {
    vanishesInMs = Infinity
    for (const [key, before] of applied) {
      if (wanted.has(key)) continue
      const { missingSince = lookedAt } = before
      // A file that brought it back in time may not have been read yet.
      const leftMs = missingSince + VANISHED_MS + STILL_MS - lookedAt
      if (leftMs > 0) {
        applied.set(key, { ...before, missingSince })
        vanishesInMs = Math.min(vanishesInMs, leftMs)
      } else {
        applied.delete(key)
        store.delete(key)
      }
      const turn = giveWay()
      if (turn) await turn
    }
  }

  /** What keeps it from being applied. */
  function put(key: ResourceKey, loaded: LoadedResource): readonly Problem[] {
    const there = store.get(key)
    const errors = there?.origin === BUILT_IN ? [] : updateErrors(there?.resource, loaded.resource)
    if (errors.length === 0) store.put(loaded.resource, originOf(loaded))
    return errors.map((error) => problemAt(loaded.place, error))
  }

  function tellNew({ kept, gone }: { readonly kept: readonly Problem[]; readonly gone: readonly Problem[] }): void {
    const before = new Set(problems.map(formatProblem))
    problems = [...kept, ...gone]
    for (const problem of problems) {
      const text = formatProblem(problem)
      const then = gone.includes(problem) ? 'what stood in it is deleted' : 'what was applied before stays'
      if (!before.has(text)) logger.error({ code: 'MANIFEST_INVALID' }, `${text}; ${then}`)
    }
  }

  hints.watch(firstFolders)
  lookIn(0)
  return {
    problems: () => problems,
    async look() {
      await look()
      while (moreInMs < Infinity) {
        await clock.sleep(moreInMs)
        await look()
      }
    },
    async close() {
      isClosed = true
      timer?.cancel()
      hints.close()
      await looking
    },
  }
}

interface Wanted {
  /** What the rest was found out from. */
  readonly parts: readonly Part[]
  readonly wanted: ReadonlyMap<ResourceKey, LoadedResource>
  readonly across: readonly Problem[]
}

/** Of a resource that stands in two places, where it stood before; else the first. */
function chosen(resources: readonly LoadedResource[], applied: ReadonlyMap<ResourceKey, Applied>) {
  const wanted = new Map<ResourceKey, LoadedResource>()
  for (const loaded of resources) {
    const key = keyOfResource(loaded.resource)
    const stoodIn = applied.get(key)?.loaded.place.file
    if (!wanted.has(key) || loaded.place.file === stoodIn) wanted.set(key, loaded)
  }
  return wanted
}

function originOf({ place }: LoadedResource): string {
  return `${place.file}:${place.line}`
}

function foldersOf(files: readonly ManifestFile[]): readonly string[] {
  return files.map(({ name }) => path.dirname(name))
}

interface Reader {
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

function createReader({ clock }: FilesOptions): Reader {
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
function createTurns(clock: Clock): () => Promise<void> | undefined {
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

interface Hints {
  watch(folders: readonly string[]): void
  close(): void
}

/** Where the system tells of changes they are seen sooner; where it does not, regular looks have to do. */
function createHints(onHint: () => void): Hints {
  const watchers = new Map<string, FSWatcher>()

  function forget(folder: string): void {
    watchers.get(folder)?.close()
    watchers.delete(folder)
  }

  return {
    watch(folders) {
      const wanted = new Set(folders)
      for (const folder of watchers.keys()) if (!wanted.has(folder)) forget(folder)
      for (const folder of wanted) {
        if (watchers.has(folder)) continue
        try {
          const watcher = watch(folder, { persistent: false }, (_event, name) => {
            // It is gone itself: one of its name is another folder.
            if (name === path.basename(folder)) forget(folder)
            onHint()
          })
          watcher.on('error', () => forget(folder))
          watchers.set(folder, watcher)
        } catch {
          // Too many watchers, or a folder that is gone again.
        }
      }
    },
    close() {
      for (const watcher of watchers.values()) watcher.close()
      watchers.clear()
    },
  }
}
