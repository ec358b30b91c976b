// What a log may hold and what it keeps: as its resource's annotations say, and else the settings.
import { type LogConfig, limitOf } from '../channel/log.ts'
import { retentionOf } from '../resource/retention.ts'
import type { Entry } from '../store/resource-store.ts'
import type { Settings } from './settings.ts'

const MEMORY_DEAD_LETTER_BYTES = 16 * 2 ** 20
const DEAD_LETTER_BYTES = 2 ** 30

/** Retention beyond the cap is as somebody asked for it: the cap wins, and `logProblems` tells. */
export function logConfigOf(settings: Settings, resource: Entry['resource'], backend: string): LogConfig {
  const name = backend === 'disk' || backend === 'kafka' ? backend : 'memory'
  const { capBytes, retentionBytes } = settings.channel[name]
  // A small cap that comes with no word about retention asks for nothing that it does not give.
  const isDefault = settings.origins.get(`channel.${name}.retentionBytes`)?.from === 'default'
  const asked = isHub(resource) ? retentionOf(resource) : {}
  const bytes = asked.bytes ?? (isDefault ? Math.min(retentionBytes, capBytes) : retentionBytes)
  const ms = asked.ms ?? settings.retention.timeMs
  const expires = (asked.unsettled ?? settings.retention.unsettled) === 'expire' && bytes > 0 && ms > 0
  return {
    capBytes,
    retention: { bytes, ms },
    // Within what publishers may fill, or they would be refused before anything is given up.
    ...(expires && { expiry: { bytes: Math.min(bytes, limitOf({ capBytes }, 'publish')), ms } }),
  }
}

/** A dead letter that was redriven or discarded is kept no longer; one that waits is, for its time, however full it gets. */
export function deadLetterConfigOf({ deadLetter }: Settings, backend: string): LogConfig {
  const byBackend = backend === 'memory' ? MEMORY_DEAD_LETTER_BYTES : DEAD_LETTER_BYTES
  return {
    capBytes: deadLetter.capBytes ?? byBackend,
    expiry: { bytes: Infinity, ms: deadLetter.retentionMs },
  }
}

function isHub({ kind }: Entry['resource']): boolean {
  return kind === 'Broker' || kind === 'InMemoryChannel' || kind === 'KafkaChannel'
}
