// What is found to be wrong with a data directory, or only worth a word.
export interface Finding {
  readonly file: string
  readonly offset: number
  readonly what: string
  /** What to do about it. */
  readonly next?: string
}

export const NEXT = {
  lost: 'Restore the directory from a backup, or go on without: a start passes what it cannot read, and says so.',
  refused:
    'A start is refused: do what stands here, restore the directory from a backup, or move it away and begin anew.',
  copied: 'Its files were copied at different moments: make another copy with tidings log backup.',
  removed: 'Restore the directory from a backup, or remove the Broker, channel or source and create it again.',
} as const

const MOST_LISTED = 1_000

export class Findings {
  readonly problems: Finding[] = []
  readonly notes: Finding[] = []
  /** Beyond those that are listed. */
  unlisted = 0

  /** Something that was acknowledged may be missing, or a start is refused. */
  problem(file: string, offset: number, what: string, next: string): void {
    this.#add(this.problems, { file, offset, what, next })
  }

  /** Nothing is missing because of it. */
  note(file: string, offset: number, what: string): void {
    this.#add(this.notes, { file, offset, what })
  }

  #add(list: Finding[], finding: Finding): void {
    if (list.length < MOST_LISTED) list.push(finding)
    else this.unlisted++
  }
}
