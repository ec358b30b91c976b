import { EventingError } from './errors.ts'

const QUANTITY = /^(\d+(?:\.\d+)?)(?:([eE]\d{1,2})|([KMGTPE]i|[kMGTPE]))?$/
/** As Kubernetes has them: `k` is small, and `Ki` is not. */
const UNITS: Readonly<Record<string, number>> = {
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/**
 * Bytes of a whole number, or of a quantity as Kubernetes writes them: `100Mi`, `5G`, `1.5Gi`, `1e9`. Throws
 * MANIFEST_INVALID for anything else, and for what is no whole number of bytes up to 2^53 - 1.
 */
export function parseByteQuantity(text: string): number {
  const [, number, exponent = '', unit = ''] = QUANTITY.exec(text) ?? []
  const bytes = Number(`${number}${exponent}`) * (UNITS[unit] ?? 1)
  if (Number.isSafeInteger(bytes)) return bytes
  const expected = 'expected a number of bytes such as 104857600, or a quantity such as 100Mi or 5G'
  throw new EventingError('MANIFEST_INVALID', `${expected}, got '${text.slice(0, 64)}'`)
}
