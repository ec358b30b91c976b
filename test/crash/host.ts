// What keeps the events of a storm, and how a storm goes over it: the log on disk, or a Kafka cluster.
import type { LogStore } from '../../src/channel/log.ts'
import type { Random } from '../support/random.ts'

export interface Host extends AsyncDisposable {
  /** Of the program, beside those that it has in every storm. */
  readonly settings: Readonly<Record<string, string | number>>
  readonly pace: Pace
  /** Nothing that was ever stored is gone from the logs in the end. */
  readonly keepsAll: boolean
  /** The logs, for a look at them once the program has ended. */
  openStore(): Promise<LogStore>
  /** What happens to it while a program is loaded, one after the other. Nothing but the end of the program, if it has none. */
  readonly troubles: readonly Trouble[]
}

/** Resolves when the host is whole again. */
export type Trouble = (random: Random) => Promise<void>

/** `folder`: of the storm, with the program's data directory in it. `random`: for what changes from storm to storm. */
export type OpenHost = (folder: string, random: Random) => Promise<Host>

export interface Pace {
  /** A kill while starting comes so long after the process is spawned, at most; later ones find it ready. */
  readonly longestStartMs: number
  /** However slow the machine is, a round's kill comes. */
  readonly longestLoadMs: number
  /** A program that starts delivers only after a while: most kills wait for that. */
  readonly deliversLate: boolean
  /** One end in so many is in order. */
  readonly orderlyEnd: number
  /** Also kills programs that are starting. */
  readonly killsStarts: boolean
  /** After so long without its host the program gives up what it has of it; 0 where nobody else can have it. */
  readonly sessionTimeoutMs: number
}
