// The cases that the specification of CESQL comes with, where they are laid beside the project.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

export interface CompatibilityCase {
  readonly file: string
  readonly expression: string
  readonly event: Record<string, string>
  /** Absent where nothing can be computed. */
  readonly result?: unknown
  readonly error: string | null
}

export function compatibilityCases(): readonly CompatibilityCase[] {
  const file = path.resolve('../shared/cesql-tck/cases.jsonl')
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as CompatibilityCase)
}
