// What the API serves, in the words of Kubernetes' discovery, read off the kinds.
import { apiVersionOf, groupsOf, type Kind } from '../resource/kind.ts'
import { knownKinds } from '../resource/known-kinds.ts'

export interface GroupVersion {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
}

/** What `GET /api` answers: versions of the core group alone. */
export function coreVersions() {
  return { kind: 'APIVersions', versions: versionsOf(''), serverAddressByClientCIDRs: [] }
}

/** What `GET /apis` answers: every group but the core one. */
export function groupList() {
  const groups = knownKinds.flatMap((kind) => groupsOf(kind).map(({ group }) => group))
  const names = [...new Set(groups)].filter((group) => group !== '').sort()
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: names.map(groupOf) }
}

/** What `GET /apis/GROUP` answers, or undefined when no kind is in it. */
export function describeGroup(name: string) {
  if (name === '' || versionsOf(name).length === 0) return undefined
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(name) }
}

/** What `GET /apis/GROUP/VERSION` answers, or undefined when no kind is in it. */
export function resourceList({ group, version }: GroupVersion) {
  const kinds = knownKinds.filter((kind) => isServedIn(kind, { group, version }))
  if (kinds.length === 0) return undefined
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf({ group, versions: [version] }),
    resources: kinds.map(({ plural, singular, isNamespaced, kind, shortNames, categories }) => ({
      name: plural,
      singularName: singular,
      namespaced: isNamespaced,
      kind,
      verbs: ['get', 'list'],
      ...(shortNames.length > 0 && { shortNames }),
      ...(categories.length > 0 && { categories }),
    })),
  }
}

/** The kind of that plural name in a group and version. */
export function findServed(groupVersion: GroupVersion, plural: string): Kind | undefined {
  return knownKinds.find((kind) => kind.plural === plural && isServedIn(kind, groupVersion))
}

function isServedIn(kind: Kind, { group, version }: GroupVersion): boolean {
  return groupsOf(kind).some((each) => each.group === group && each.versions.includes(version))
}

function groupOf(name: string) {
  const versions = versionsOf(name).map((version) => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions, preferredVersion: versions[0] }
}

/** Of all kinds of the group, the most stable first. */
function versionsOf(group: string): readonly string[] {
  const all = knownKinds.flatMap(groupsOf).filter((each) => each.group === group)
  return [...new Set(all.flatMap(({ versions }) => versions))].sort(byStability)
}

/** v2, v1, v1beta2, v1beta1, v1alpha1: Kubernetes' order of versions. */
function byStability(a: string, b: string): number {
  const [x, y] = [rankOf(a), rankOf(b)]
  return y.stability - x.stability || y.major - x.major || y.minor - x.minor
}

function rankOf(version: string) {
  const [, major = '0', stage = '', minor = '0'] = /^v(\d+)(alpha|beta)?(\d+)?$/.exec(version) ?? []
  return { stability: ['alpha', 'beta', ''].indexOf(stage), major: Number(major), minor: Number(minor) }
}
