// `npm run generate`: writes the files that are made from the kinds. A test fails when they are not as this would write them.
import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { crdFilesOf } from './crd.ts'
import { knownKinds } from './known-kinds.ts'

const folder = path.resolve(import.meta.dirname, '../../charts/tidings/templates/crds')

await rm(folder, { recursive: true, force: true })
await mkdir(folder, { recursive: true })
for (const { name, text } of crdFilesOf(knownKinds)) await writeFile(path.join(folder, name), text)
