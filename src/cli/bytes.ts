const UNITS = ['KiB', 'MiB', 'GiB', 'TiB'] as const

/** For people: `812 B`, `1.5 KiB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length)
  return `${(bytes / 1_024 ** power).toFixed(1)} ${UNITS[power - 1]}`
}
