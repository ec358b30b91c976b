// Many things that one signal ends, with one listener on it: the attempts of a lane share its signal, and an AbortSignal
// walks its whole list of listeners at every addition.

export interface Member {
  /** Its place in the group, which the group alone writes. */
  slot: number
  abandon(reason: unknown): void
}

/** Adding and removing cost a few writes: every event's path crosses both, and a Set costs a tenth of a whole request. */
export class AbortGroup {
  readonly #members: Member[] = []
  #isAborted: boolean

  constructor(signal: AbortSignal) {
    this.#isAborted = signal.aborted
    const abandonAll = (): void => {
      this.#isAborted = true
      for (const member of this.#members.splice(0)) member.abandon(signal.reason)
    }
    signal.addEventListener('abort', abandonAll, { once: true })
  }

  get isAborted(): boolean {
    return this.#isAborted
  }

  add(member: Member): void {
    member.slot = this.#members.push(member) - 1
  }

  /** The last member takes the free place. Only members are removed, each once. */
  remove(member: Member): void {
    const last = this.#members.pop()
    if (last === undefined || last === member) return
    this.#members[member.slot] = last
    last.slot = member.slot
  }
}

const groups = new WeakMap<AbortSignal, AbortGroup>()

/** The one group of this signal, for whoever asks. */
export function abortGroupOf(signal: AbortSignal): AbortGroup {
  let group = groups.get(signal)
  if (group === undefined) {
    group = new AbortGroup(signal)
    groups.set(signal, group)
  }
  return group
}
