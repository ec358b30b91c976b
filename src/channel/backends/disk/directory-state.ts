// All that the records of a data directory say, as far as they were read: whoever reads a directory starts from its
// checkpoint and applies the journal after it, whether it is to be opened or only looked at.
import type { CheckpointLog } from './checkpoint.ts'
import { ValueState } from './disk-values.ts'
import type { Location } from './journal.ts'
import { LogState } from './log-state.ts'
import type { DiskRecord, LogNumber } from './record.ts'

export interface DirectoryState {
  readonly logs: Map<LogNumber, LogState>
  readonly values: ValueState
  nextLog: LogNumber
}

export function emptyDirectory(): DirectoryState {
  return { logs: new Map(), values: new ValueState(), nextLog: 1 }
}

/** What a checkpoint says of a log, but for where its entries are. */
export function logStateOf(known: CheckpointLog): LogState {
  const state = new LogState(known.number, known.uid, known.name)
  state.base = known.base
  state.start = state.settledBefore = known.start
  state.isLost = known.isLost
  state.voids = known.voids
  for (const { id, floor, state: unsettled } of known.cursors) {
    state.putCursor(id, unsettled && { floor, state: unsettled })
  }
  return state
}

export function applyRecord(directory: DirectoryState, record: DiskRecord, location: Location): void {
  if (record.kind === 'put' || record.kind === 'delete') return directory.values.apply(record)
  const { logs } = directory
  const state = logs.get(record.log)
  directory.nextLog = Math.max(directory.nextLog, record.log + 1)
  if (record.kind === 'open') {
    if (!state) logs.set(record.log, new LogState(record.log, record.uid, record.name))
  } else if (record.kind === 'remove') {
    for (const segment of state?.backlog ?? []) state?.onFreed(segment)
    logs.delete(record.log)
  } else {
    state?.apply(record, location)
  }
}
