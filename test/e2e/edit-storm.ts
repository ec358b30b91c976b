// A folder of manifests that is edited at random, as people and tools do it, by editors that work side by side. What
// each trigger may get is noted before it is written, so that what it got can be judged.
import { appendFile, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createClock } from '../../src/core/clock.ts'
import type { Random } from '../support/random.ts'

/**
 * What is done to a trigger. `steady`: nothing. `lively`: everything but what changes its events: it is moved, broken,
 * gone for a moment, sent elsewhere. `fickle`: its filter changes too. `fleeting`: it is deleted and comes back.
 */
export type Nature = 'steady' | 'lively' | 'fickle' | 'fleeting'

export interface Reader {
  readonly name: string
  readonly nature: Nature
  /** Path of the data port whose events it reads. */
  readonly from: string
  /** The types that its versions so far let pass; undefined lets everything pass. */
  readonly types: Set<string | undefined>
  /** It was away for longer than a moment, because this machine was slow. */
  wasAway: boolean
}

export interface StormOptions {
  readonly folder: string
  readonly random: Random
  /** All manifests together, about. */
  readonly manifests: number
  /** Two subscribers, told apart by nothing. */
  readonly subscribers: readonly [string, string]
}

export interface Storm {
  readonly readers: readonly Reader[]
  /** Data port paths that events may be sent to. */
  readonly targets: readonly string[]
  readonly types: readonly string[]
  /** How often each kind of edit was made. */
  readonly edits: ReadonlyMap<string, number>
  /** Edits until the signal aborts, then mends everything. A broker and a channel come and go meanwhile. */
  edit(signal: AbortSignal): Promise<void>
}

/** Paths that no good version leads to. */
export const FORBIDDEN = '/forbidden/'

const EDITORS = 8
/** Less than what vanished is waited for, by a margin for slow machines. */
const LONGEST_MOMENT_MS = 1_500
/** Less than what a file that is being written is waited for. */
const LONGEST_HALF_MS = 150

/** A resource as it stands in its file. */
interface Resource {
  readonly name: string
  readonly reader: Reader | undefined
  text: string
}

interface File {
  readonly name: string
  resources: Resource[]
  isBusy: boolean
  isBroken: boolean
}

export async function startStorm({ folder, random, manifests, subscribers }: StormOptions): Promise<Storm> {
  const clock = createClock()
  const files: File[] = []
  const readers: Reader[] = []
  const edits = new Map<string, number>()
  const types = Array.from({ length: Math.ceil(manifests / 5) }, (_, i) => `com.example.t${i}`)

  function addFile(name: string, resources: Resource[]): File {
    const file: File = { name, resources, isBusy: false, isBroken: false }
    files.push(file)
    return file
  }

  function addReader(name: string, nature: Nature, from: string, type: string | undefined): Reader {
    const reader: Reader = { name, nature, from, types: new Set([type]), wasAway: false }
    readers.push(reader)
    return reader
  }

  function destination(reader: Reader): string {
    if (reader.nature === 'lively' && random.int(3) === 0) {
      const service = `{apiVersion: serving.knative.dev/v1, kind: Service, name: service-${random.int(2)}}`
      return `{ref: ${service}, uri: /${reader.name}}`
    }
    return `{uri: '${random.pick(subscribers)}/${reader.name}?${random.int(1_000)}'}`
  }

  /** Its filter stands last, so that half of it is a trigger that lets everything pass. */
  function triggerText({ name, from }: Reader, type: string | undefined, subscriber: string): string {
    const [namespace, broker] = from.split('/')
    const filter = type === undefined ? '' : `  filter:\n    attributes:\n      type: ${type}\n`
    return manifest('eventing.knative.dev/v1', 'Trigger', `{name: ${name}, namespace: ${namespace}}`, [
      `broker: ${broker}`,
      `subscriber: ${subscriber}`,
    ]).concat(filter)
  }

  function subscriptionText({ name, from }: Reader, subscriber: string): string {
    const channel = `{apiVersion: messaging.knative.dev/v1, kind: Channel, name: ${from.split('/')[2]}}`
    return manifest('messaging.knative.dev/v1', 'Subscription', `{name: ${name}}`, [
      `channel: ${channel}`,
      `subscriber: ${subscriber}`,
    ])
  }

  function textOf(reader: Reader, subscriber = destination(reader)): string {
    if (reader.from.startsWith('channels/')) return subscriptionText(reader, subscriber)
    const type = reader.nature === 'fickle' ? random.pick(types) : [...reader.types][0]
    reader.types.add(type)
    return triggerText(reader, type, subscriber)
  }

  function resourceOf(reader: Reader): Resource {
    return { name: reader.name, reader, text: textOf(reader) }
  }

  function serviceText(name: string): string {
    return `---\napiVersion: serving.knative.dev/v1\nkind: Service\nmetadata:\n  name: ${name}\n  annotations:\n    tidings.dev/url: ${random.pick(subscribers)}\nspec: {}\n`
  }

  const contentOf = ({ resources }: File): string => resources.map(({ text }) => text).join('')
  const pathOf = (name: string): string => path.join(folder, name)
  const pause = (belowMs: number): Promise<void> => clock.sleep(random.int(belowMs))

  async function renameInto(name: string, content: string): Promise<void> {
    const temporary = pathOf(path.join(path.dirname(name), `.${path.basename(name)}~`))
    await writeFile(temporary, content)
    await rename(temporary, pathOf(name))
  }

  /** In two halves, as a slow writer does; the halves meet anywhere, or where the first is a manifest too. */
  async function writeInHalves(file: File, content: string): Promise<void> {
    const lastFilter = content.lastIndexOf('  filter:')
    const at = lastFilter > 0 && random.int(2) === 0 ? lastFilter : random.int(content.length)
    await writeFile(pathOf(file.name), content.slice(0, at))
    const since = clock.now()
    await pause(60)
    await appendFile(pathOf(file.name), content.slice(at))
    if (clock.now() - since < LONGEST_HALF_MS) return
    for (const { reader } of file.resources) {
      if (!reader) continue
      reader.types.add(undefined)
      reader.wasAway = true
    }
  }

  async function save(file: File): Promise<void> {
    const content = contentOf(file)
    file.isBroken = false
    const how = random.int(3)
    if (how === 0) await renameInto(file.name, content)
    else if (how === 1) await writeFile(pathOf(file.name), content)
    else await writeInHalves(file, content)
  }

  function refresh(file: File): void {
    for (const resource of file.resources) {
      if (resource.reader) resource.text = textOf(resource.reader)
      else if (resource.name.startsWith('service-')) resource.text = serviceText(resource.name)
    }
  }

  async function breakIt(file: File): Promise<void> {
    const bad = [
      `${contentOf(file)}---\n{`,
      contentOf(file).replace('spec:', 'spec:\n  nonsense: true'),
      `${contentOf(file)}---\napiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: half`,
      contentOf(file)
        .replace(/\{uri: '[^']*'/g, `{url: '${subscribers[0]}${FORBIDDEN}'`)
        .replace('subscriber:', 'subscribr:'),
      '\u0000\u0001 not yaml: [',
      'x'.repeat(100),
      contentOf(file) + contentOf(file).replaceAll(/uri: '[^']*'/g, `uri: '${subscribers[0]}${FORBIDDEN}'`),
    ]
    file.isBroken = true
    const content = random.pick(bad)
    if (random.int(2) === 0) await renameInto(file.name, content)
    else await writeFile(pathOf(file.name), content)
  }

  async function leaveForAMoment(file: File): Promise<void> {
    const since = clock.now()
    await rm(pathOf(file.name))
    await pause(1_000)
    await save(file)
    noteAway([file], since)
  }

  async function leave(file: File): Promise<void> {
    await rm(pathOf(file.name))
    await clock.sleep(2_000 + random.int(2_000))
    await save(file)
  }

  async function move(file: File, other: File): Promise<void> {
    const since = clock.now()
    const leaving = file.resources
    const firstLeave = random.int(2) === 0
    if (firstLeave) {
      file.resources = []
      await save(file)
      await pause(300)
    }
    other.resources = [...other.resources, ...leaving]
    await save(other)
    if (!firstLeave) {
      await pause(300)
      file.resources = []
      await save(file)
    }
    noteAway([other], since)
    await clock.sleep(1_000) // so that it is read before anything else happens to it
    file.resources = leaving
    other.resources = other.resources.filter((resource) => !leaving.includes(resource))
    const back = clock.now()
    await save(file)
    await save(other)
    noteAway([file], back)
    await clock.sleep(1_000)
  }

  async function duplicate(file: File): Promise<void> {
    const name = path.join(path.dirname(file.name), `0-${path.basename(file.name)}`)
    await renameInto(name, contentOf(file).replaceAll(/uri: '[^']*'/g, `uri: '${subscribers[0]}${FORBIDDEN}'`))
    await pause(1_000)
    await rm(pathOf(name))
    await clock.sleep(500) // the other must be seen to be gone before the first one may leave
  }

  function noteAway(those: readonly File[], since: number): void {
    if (clock.now() - since < LONGEST_MOMENT_MS) return
    for (const { resources } of those) for (const { reader } of resources) if (reader) reader.wasAway = true
  }

  const isSteady = ({ resources }: File): boolean => resources.every(({ reader }) => reader?.nature === 'steady')
  const isFleeting = ({ resources }: File): boolean =>
    resources.every(({ reader, name }) => reader?.nature === 'fleeting' || name === 'service-1')
  const free = (wanted: (file: File) => boolean): File | undefined => {
    const found = files.filter((file) => !file.isBusy && !isSteady(file) && wanted(file))
    return found.length === 0 ? undefined : random.pick(found)
  }

  async function holding(held: readonly File[], what: string, task: () => Promise<void>): Promise<void> {
    edits.set(what, (edits.get(what) ?? 0) + 1)
    for (const file of held) file.isBusy = true
    try {
      await task()
    } finally {
      for (const file of held) file.isBusy = false
    }
  }

  async function editOnce(): Promise<void> {
    const what = random.int(20)
    const file = free(() => true)
    if (!file) return pause(50)
    if (what < 8) {
      refresh(file)
      return holding([file], 'saved', () => save(file))
    }
    if (what < 12) return holding([file], 'broken', () => breakIt(file))
    if (what < 14) return holding([file], 'gone for a moment', () => leaveForAMoment(file))
    if (what < 16) {
      const fleeting = free(isFleeting)
      return fleeting && holding([fleeting], 'deleted and back', () => leave(fleeting))
    }
    if (file.isBroken) return holding([file], 'mended', () => save(file))
    if (what < 18) return holding([file], 'stood twice', () => duplicate(file))
    const other = free((each) => each !== file && !each.isBroken)
    if (other) return holding([file, other], 'moved and back', () => move(file, other))
  }

  async function editor(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await editOnce()
      await pause(20)
    }
  }

  /** A broker or channel that is deleted again and again, most often while events wait in it. */
  async function comeAndGo(file: File, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await holding([file], 'log deleted and back', () => leave(file))
      file.isBusy = true // no editor may have it in between
      await clock.sleep(500 + random.int(2_000))
    }
  }

  addFile('orders.yaml', [
    { name: 'orders', reader: undefined, text: manifest('eventing.knative.dev/v1', 'Broker', '{name: orders}', []) },
  ]).isBusy = true
  const fleetingLogs = [
    addFile('volatile.yaml', [
      {
        name: 'volatile',
        reader: undefined,
        text: manifest('eventing.knative.dev/v1', 'Broker', '{name: volatile}', []),
      },
    ]),
  ]
  for (const file of fleetingLogs) file.isBusy = true
  for (const name of ['still', 'stirred']) {
    const text = manifest('messaging.knative.dev/v1', 'Channel', `{name: ${name}}`, [
      'channelTemplate: {apiVersion: messaging.knative.dev/v1, kind: InMemoryChannel}',
    ])
    const file = addFile(`channels/${name}.yaml`, [{ name, reader: undefined, text }])
    file.isBusy = true
    if (name === 'stirred') fleetingLogs.push(file)
    const nature = name === 'still' ? 'steady' : 'lively'
    for (const i of [0, 1]) {
      const reader = addReader(`subscription-${name}-${i}`, nature, `channels/default/${name}`, undefined)
      addFile(`channels/${reader.name}.yaml`, [resourceOf(reader)])
    }
  }
  for (const i of [0, 1]) {
    addFile(`services/${i}.yaml`, [{ name: `service-${i}`, reader: undefined, text: serviceText(`service-${i}`) }])
  }
  for (const i of [0, 1]) {
    addFile(`volatile/${i}.yaml`, [resourceOf(addReader(`volatile-${i}`, 'steady', 'default/volatile', undefined))])
  }
  const natures: readonly Nature[] = ['steady', 'lively', 'fickle', 'lively', 'fleeting']
  for (let i = 0; files.length < manifests; i++) {
    const nature = natures[i % natures.length] ?? 'steady'
    const from = i % 3 === 0 ? 'default/orders' : 'default/default'
    const those = Array.from({ length: i % 7 === 0 ? 3 : 1 }, (_, k) =>
      resourceOf(addReader(`${nature}-${i}-${k}`, nature, from, i % 25 === 0 ? undefined : random.pick(types))),
    )
    addFile(`triggers-${i % 4}/${i}.yaml`, those)
  }
  for (const file of files) {
    await mkdir(path.dirname(pathOf(file.name)), { recursive: true })
    await writeFile(pathOf(file.name), contentOf(file))
  }

  return {
    readers,
    targets: [
      'default/default',
      'default/orders',
      'default/volatile',
      'channels/default/still',
      'channels/default/stirred',
    ],
    types,
    edits,
    async edit(signal) {
      const editors = Array.from({ length: EDITORS }, () => editor(signal))
      await Promise.all([...editors, ...fleetingLogs.map((file) => comeAndGo(file, signal))])
      for (const file of files) if (file.isBroken) await save(file)
    },
  }
}

function manifest(apiVersion: string, kind: string, metadata: string, spec: readonly string[]): string {
  const fields = spec.map((field) => `  ${field}\n`).join('')
  return `---\napiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: ${metadata}\nspec:${fields === '' ? ' {}\n' : `\n${fields}`}`
}
