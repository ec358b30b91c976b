// The manifests that `-f` names, followed while they change: each file's last good version is what is applied. A save that
// is broken is told and changes nothing; what vanishes counts as deleted only after a while, since editors write files
// anew and pull them away under their names.
import path from 'node:path'
import type { Clock, Timer } from '../core/clock.ts'
import type { Logger } from '../observe/logger.ts'
import { updateErrors } from '../resource/immutable.ts'
import { combine, findFiles, type LoadedResource, type ManifestFile, type Part } from '../resource/load.ts'
import { formatProblem, type Problem, problemAt } from '../resource/problems.ts'
import { createReader, createTurns, type Reader, STILL_MS, VANISHED_MS } from './file-reader.ts'
import { createHints } from './folder-hints.ts'
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

/** Reads all files and applies what they say, unless anything is wrong. */
export async function openFiles(options: FilesOptions): Promise<FirstLook> {
  const reader = createReader(options.clock)
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
