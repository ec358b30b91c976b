// Uids of resources across restarts: logs and cursors belong to them, so the same name must get the same one. A file in the
// data directory, written whole and renamed into place; small, since it holds names alone.
import { promises as fs } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { EventingError } from '../core/errors.ts'
import type { ResourceKey, ResourceStore } from './resource-store.ts'

export interface Uids {
  /** Resolves once every uid given out by now is on disk: nothing may be kept under one before. Rejects when it cannot be. */
  saved(): Promise<void>
  /** The resource is gone, and nothing is left of it: the next of its name is another. */
  forget(key: ResourceKey): void
  /** Keys that were known when it was opened and are no resource's. */
  orphans(): readonly { readonly key: ResourceKey; readonly uid: string }[]
}

/** Where nothing outlives the process. */
export const noUids: Uids = { saved: () => Promise.resolve(), forget: () => undefined, orphans: () => [] }

const FILE = 'uids.json'
const fileSchema = z.strictObject({ version: z.literal(1), uids: z.record(z.string(), z.string()) })

/** Gives the resources that come into `resources` from now on the uids that they had. Rejects when the file is unreadable. */
export async function openUids(dir: string, resources: ResourceStore): Promise<Uids> {
  const file = path.join(dir, FILE)
  const uids = new Map(Object.entries(await read(file)))
  for (const [key, uid] of uids) resources.keepUid(key, uid)
  const before = [...uids.keys()]
  let changed = false
  let saving: Promise<void> | undefined

  function set(key: ResourceKey, uid: string | undefined): void {
    if (uids.get(key) === uid) return
    if (uid === undefined) uids.delete(key)
    else uids.set(key, uid)
    changed = true
  }

  async function save(): Promise<void> {
    while (changed) {
      changed = false
      try {
        await write(dir, file, JSON.stringify({ version: 1, uids: Object.fromEntries(uids) }))
      } catch (error) {
        changed = true
        throw error
      }
    }
  }

  /** One write for all who ask in one turn. */
  async function saveSoon(): Promise<void> {
    try {
      await new Promise(setImmediate)
      await save()
    } finally {
      saving = undefined
    }
  }

  resources.onChange(({ type, entry }) => {
    if (type === 'ADDED') set(entry.key, entry.resource.metadata.uid)
  })

  return {
    async saved() {
      // A write that just ended may have begun before the last uid was given out.
      while (changed || saving) {
        saving ??= saveSoon()
        await saving
      }
    },
    forget: (key) => set(key, undefined),
    orphans: () =>
      before.flatMap((key) => {
        const uid = uids.get(key)
        return uid === undefined || resources.get(key) ? [] : [{ key, uid }]
      }),
  }
}

async function read(file: string): Promise<Readonly<Record<string, string>>> {
  let text: string
  try {
    text = await fs.readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}
    throw error
  }
  const parsed = fileSchema.safeParse(parseJson(text))
  if (parsed.success) return parsed.data.uids
  throw new EventingError(
    'LOG_CORRUPT',
    `${file}: it is not the file of uids that belongs here; restore it from a backup`,
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Durable when resolved: the file and its place in the folder. */
async function write(dir: string, file: string, text: string): Promise<void> {
  const temporary = `${file}.tmp`
  const handle = await fs.open(temporary, 'w')
  try {
    await handle.writeFile(text)
    await handle.datasync()
  } finally {
    await handle.close()
  }
  await fs.rename(temporary, file)
  const folder = await fs.open(dir, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
