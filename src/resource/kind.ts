// What a kind of resource is, written once: names, schema, defaults, rules, columns and conditions. Validation, the
// API's discovery and `kubectl get` read it from here, so that adding a kind is adding one file to kinds/. What a
// resource does when it is applied is for the runtime.
import type { z } from 'zod'
import type { ConditionSet } from './conditions.ts'
import type { Metadata } from './metadata.ts'
import type { FieldError, Path } from './problems.ts'
import { explain, fieldErrorsOf, isFields } from './rules.ts'

export interface Resource {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Metadata
}

export interface Column {
  readonly name: string
  readonly type: 'string' | 'date'
  readonly jsonPath: string
}

export interface GroupVersions {
  /** Empty for the core group. */
  readonly group: string
  /** Preferred first; the others are deprecated. */
  readonly versions: readonly [string, ...string[]]
}

export interface KindDefinition<R extends Resource> extends GroupVersions {
  /** A group of old that serves the same kind. Its resources are its own, not another view of these. */
  readonly oldGroup?: GroupVersions
  readonly isNamespaced: boolean
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  /** Labels, all `true`, by which a cluster finds kinds of one shape: addressable, source, ... */
  readonly duckLabels: readonly string[]
  /** Fields, with descriptions for `kubectl explain`, and every rule. No defaults: those stand in `withDefaults`. */
  readonly schema: z.ZodType<R>
  /** After NAME, as upstream prints them. */
  readonly columns: readonly Column[]
  readonly conditions: ConditionSet
}

export interface Kind<R extends Resource = Resource> extends KindDefinition<R> {
  /** Checks a manifest against every rule of the kind and fills in defaults. Never throws. */
  read(manifest: unknown): Reading<R>
}

export type Reading<R extends Resource> =
  | { readonly kind: 'valid'; readonly resource: R }
  | { readonly kind: 'invalid'; readonly errors: readonly FieldError[] }

export function defineKind<R extends Resource>(
  definition: KindDefinition<R>,
  withDefaults: (resource: R) => R,
): Kind<R> {
  return {
    ...definition,
    read(manifest) {
      const { value, errors } = cleaned(manifest)
      const parsed = definition.schema.safeParse(value, { reportInput: true, error: explain })
      if (parsed.success && errors.length === 0) return { kind: 'valid', resource: withDefaults(parsed.data) }
      return { kind: 'invalid', errors: [...errors, ...(parsed.error?.issues ?? []).flatMap(fieldErrorsOf)] }
    },
  }
}

/** `group/version`, or the version alone in the core group. */
export function apiVersionOf({ group, versions }: GroupVersions, version = versions[0]): string {
  return group === '' ? version : `${group}/${version}`
}

/** Every group that serves the kind, its own first. */
export function groupsOf(kind: Pick<Kind, keyof GroupVersions | 'oldGroup'>): readonly GroupVersions[] {
  return kind.oldGroup ? [kind, kind.oldGroup] : [kind]
}

/** Every `apiVersion` that a manifest of the kind may have, the preferred first. */
export function apiVersionsOf(kind: Pick<Kind, keyof GroupVersions | 'oldGroup'>): readonly string[] {
  return groupsOf(kind).flatMap((each) => each.versions.map((version) => apiVersionOf(each, version)))
}

/** Checks call themselves for each level; text is bounded by yaml.ts already, what comes another way is here. */
const DEEPEST = 100

/**
 * Null means "not set", as in the API server; `status` is what a runtime found, no part of what the user wants.
 * `__proto__` is refused here because a zod record would drop it without a word.
 */
function cleaned(manifest: unknown): { readonly value: unknown; readonly errors: readonly FieldError[] } {
  const errors: FieldError[] = []
  const clean = (value: unknown, path: Path): unknown => {
    if (path.length > DEEPEST) {
      errors.push({ paths: [path.slice(0, 1)], message: `more than ${DEEPEST} maps and lists inside each other` })
      return undefined
    }
    if (Array.isArray(value)) return value.map((item: unknown, index) => clean(item, [...path, index]))
    if (!isFields(value)) return value
    const fields = Object.entries(value).flatMap(([key, field]): [string, unknown][] => {
      if (key === '__proto__') errors.push({ paths: [path], message: 'invalid key name "__proto__"' })
      const isKept =
        field !== null && field !== undefined && key !== '__proto__' && !(path.length === 0 && key === 'status')
      return isKept ? [[key, clean(field, [...path, key])]] : []
    })
    return Object.fromEntries(fields)
  }
  return { value: clean(manifest, []), errors }
}
