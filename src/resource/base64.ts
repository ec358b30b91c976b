import { z } from 'zod'

export const base64Schema = z.string().refine(isBase64, 'expected Base64 with padding')

/** With padding. Line breaks may stand anywhere, as a YAML block has them and Go takes them. */
export function isBase64(text: string): boolean {
  const joined = text.replace(/[\r\n]+/g, '')
  return joined.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(joined)
}
