/** The hash by which Java's producer puts a key on a partition: the same here, so that everybody's keys meet. */
export function murmur2(data: Uint8Array): number {
  const { length } = data
  let hash = 0x9747b28c ^ length
  let at = 0
  for (; at + 4 <= length; at += 4) {
    let word = byte(data, at) | (byte(data, at + 1) << 8) | (byte(data, at + 2) << 16) | (byte(data, at + 3) << 24)
    word = Math.imul(word, MIX)
    word ^= word >>> 24
    hash = Math.imul(hash, MIX) ^ Math.imul(word, MIX)
  }
  const rest = length - at
  if (rest > 2) hash ^= byte(data, at + 2) << 16
  if (rest > 1) hash ^= byte(data, at + 1) << 8
  if (rest > 0) hash = Math.imul(hash ^ byte(data, at), MIX)
  hash ^= hash >>> 13
  hash = Math.imul(hash, MIX)
  return hash ^ (hash >>> 15)
}

const MIX = 0x5bd1e995

function byte(data: Uint8Array, at: number): number {
  return data[at] as number
}

export function partitionOf(key: string, partitions: number): number {
  return (murmur2(Buffer.from(key)) & 0x7fffffff) % partitions
}
