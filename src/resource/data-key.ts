// Keys of ConfigMaps and Secrets: each can be a file's name.
import { z } from 'zod'

const LONGEST = 253

/** @see Kubernetes, `IsConfigMapKey` */
export const dataKey = z
  .string()
  .max(LONGEST, `expected at most ${LONGEST} characters`)
  .regex(/^[-._a-zA-Z0-9]+$/, 'expected letters, digits, -, _ and . only')
  .refine((key) => !key.startsWith('..') && key !== '.', 'expected no name that means another folder')
