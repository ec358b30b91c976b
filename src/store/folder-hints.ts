// Folders that the system is asked to watch.
import { type FSWatcher, watch } from 'node:fs'
import path from 'node:path'

export interface Hints {
  watch(folders: readonly string[]): void
  close(): void
}

/** Where the system tells of changes they are seen sooner; where it does not, regular looks have to do. */
export function createHints(onHint: () => void): Hints {
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
