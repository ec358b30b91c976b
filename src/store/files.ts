// The manifests that `-f` names, followed while they change: each file's last good version is what is applied. A save that
// is broken is told and changes nothing; what vanishes counts as deleted only after a while, since editors write files
// anew and pull them away under their names.
import { type FSWatcher, watch } from 'node:fs'
import path from 'node:path'
import type { Clock, Timer } from '../core/clock.ts'
import type { Logger } from '../observe/logger.ts'
import { updateErrors } from '../resource/immutable.ts'
import { combine, findFiles, type LoadedResource, type ManifestFile, type Part, readFile } from '../resource/load.ts'
import { formatProblem, type Problem, problemAt } from '../resource/problems.ts'
import { keyOfResource, type ResourceKey, type ResourceStore } from './resource-store.ts'

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
export const VANISHED_MS = 2_000
/** A file written so short before it was read may have been written again since, within one tick of its clock. */
const RACY_MS = 1_000
/** Files read before the event loop turns: the data path shares it. */
const SLICE = 8

/** Reads all files and applies what they say, unless anything is wrong. */
export async function openFiles(options: FilesOptions): Promise<FirstLook> {
  const reader = createReader(options)
  const { files, folders, problems: missing } = await findFiles(options.paths)
  await reader.read(files)
  const { resources, problems: across, notices } = combine(reader.good(files))
  const problems = [...missing, ...reader.problems(), ...across]
  if (problems.length > 0) return { kind: 'refused', problems }
  const applied = new Map<ResourceKey, Applied>()
  for (const loaded of resources) {
    applied.set(keyOfResource(loaded.resource), { loaded, missingSince: undefined })
    options.store.put(loaded.resource, originOf(loaded))
  }
  return { kind: 'loaded', notices, follow: () => follow(options, reader, applied, [...folders, ...foldersOf(files)]) }
}

/** A resource that the files have, or had until a moment ago. */
interface Applied {
  readonly loaded: LoadedResource
  /** On the monotonic clock. */
  readonly missingSince: number | undefined
}

function follow(
  { paths, store, clock, logger }: FilesOptions,
  reader: Reader,
  applied: Map<ResourceKey, Applied>,
  firstFolders: readonly string[],
): Files {
  const hints = createHints(() => lookIn(HINT_MS))
  let problems: readonly Problem[] = []
  let looking: Promise<void> | undefined
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
    looking = lookOnce()
      .catch((error: unknown) => logger.error({ err: error }, 'the manifests could not be looked at; trying again'))
      .finally(() => {
        looking = undefined
        lookIn(LOOK_MS)
      })
    await looking
  }

  async function lookOnce(): Promise<void> {
    const { files, folders } = await findFiles(paths)
    hints.watch([...folders, ...foldersOf(files)])
    await reader.read(files)
    const { resources, problems: across } = combine(reader.good(files))
    const refused = putAll(chosen(resources, applied))
    tellNew([...reader.problems(), ...across, ...refused])
  }

  function putAll(wanted: ReadonlyMap<ResourceKey, LoadedResource>): readonly Problem[] {
    const refused: Problem[] = []
    for (const [key, loaded] of wanted) {
      const errors = updateErrors(store.get(key)?.resource, loaded.resource)
      if (errors.length > 0) {
        refused.push(...errors.map((error) => problemAt(loaded.place, error)))
      } else {
        store.put(loaded.resource, originOf(loaded))
      }
      applied.set(key, { loaded, missingSince: undefined })
    }
    for (const [key, { loaded, missingSince = clock.now() }] of applied) {
      if (wanted.has(key)) continue
      if (clock.now() - missingSince < VANISHED_MS) {
        applied.set(key, { loaded, missingSince })
      } else {
        applied.delete(key)
        store.delete(key)
      }
    }
    return refused
  }

  function tellNew(found: readonly Problem[]): void {
    const before = new Set(problems.map(formatProblem))
    problems = found
    for (const text of found.map(formatProblem)) {
      if (!before.has(text)) logger.error({ code: 'MANIFEST_INVALID' }, `${text}; what was applied before stays`)
    }
  }

  hints.watch(firstFolders)
  lookIn(0)
  return {
    problems: () => problems,
    look,
    async close() {
      isClosed = true
      timer?.cancel()
      hints.close()
      await looking
    },
  }
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
  /** Reads those that changed since. */
  read(files: readonly ManifestFile[]): Promise<void>
  /** The last good version of each. */
  good(files: readonly ManifestFile[]): readonly Part[]
  problems(): readonly Problem[]
}

interface Known {
  readonly signature: string
  readonly good: Part
  readonly problems: readonly Problem[]
}

const NOTHING: Part = { resources: [], problems: [] }

function createReader({ clock }: FilesOptions): Reader {
  const known = new Map<string, Known>()

  return {
    async read(files) {
      const names = new Set(files.map(({ name }) => name))
      for (const name of known.keys()) if (!names.has(name)) known.delete(name)
      let read = 0
      for (const file of files) {
        const before = known.get(file.name)
        if (before?.signature === file.signature) continue
        const part = await readFile(file)
        // What may have been written again since is read once more.
        const signature = clock.wall() - file.changedAt < RACY_MS ? '' : file.signature
        const good = part.problems.length === 0 ? part : (before?.good ?? NOTHING)
        known.set(file.name, { signature, good, problems: part.problems })
        if (++read % SLICE === 0) await new Promise(setImmediate)
      }
    },
    good: (files) => files.map(({ name }) => known.get(name)?.good ?? NOTHING),
    problems: () => [...known.values()].flatMap(({ problems }) => problems),
  }
}

interface Hints {
  watch(folders: readonly string[]): void
  close(): void
}

/** Where the system tells of changes they are seen sooner; where it does not, regular looks have to do. */
function createHints(onHint: () => void): Hints {
  const watchers = new Map<string, FSWatcher>()
  return {
    watch(folders) {
      const wanted = new Set(folders)
      for (const [folder, watcher] of watchers) {
        if (wanted.has(folder)) continue
        watcher.close()
        watchers.delete(folder)
      }
      for (const folder of wanted) {
        if (watchers.has(folder)) continue
        try {
          const watcher = watch(folder, { persistent: false }, onHint)
          watcher.on('error', () => watcher.close())
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
