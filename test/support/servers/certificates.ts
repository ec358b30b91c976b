// Certificates for tests, made by openssl in a moment: an authority, a server and a client that it knows, and of both one
// whose time is over.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

export interface Certificate {
  readonly cert: string
  /** PKCS#8. */
  readonly key: string
}

export interface Certificates {
  /** Of the authority, and of one that signed nothing of these. */
  readonly ca: string
  readonly otherCa: string
  readonly server: Certificate
  readonly expiredServer: Certificate
  readonly client: Certificate
  readonly expiredClient: Certificate
}

export function makeCertificates(): Certificates {
  const folder = mkdtempSync(path.join(tmpdir(), 'tidings-certificates-'))
  try {
    const ca = makeAuthority(folder, 'ca')
    return {
      ca,
      otherCa: makeAuthority(folder, 'other'),
      server: sign(folder, 'server', 2),
      expiredServer: sign(folder, 'expired-server', -1),
      client: sign(folder, 'client', 2),
      expiredClient: sign(folder, 'expired-client', -1),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

function makeAuthority(folder: string, name: string): string {
  openssl(folder, ['req', '-x509', ...NEW_KEY, '-days', '2', ...subject(name), ...files(name, 'crt')])
  return readFileSync(path.join(folder, `${name}.crt`), 'utf8')
}

/** By the authority `ca`, for 127.0.0.1, until `days` from now. */
function sign(folder: string, name: string, days: number): Certificate {
  const names = ['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost']
  openssl(folder, ['req', ...NEW_KEY, ...subject(name), ...names, ...files(name, 'csr')])
  const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-copy_extensions', 'copy']
  openssl(folder, ['x509', '-req', '-in', `${name}.csr`, ...by, '-days', String(days), '-out', `${name}.crt`])
  const read = (ending: string): string => readFileSync(path.join(folder, `${name}.${ending}`), 'utf8')
  return { cert: read('crt'), key: read('key') }
}

function subject(name: string): readonly string[] {
  return ['-subj', `/CN=${name}`]
}

function files(name: string, ending: string): readonly string[] {
  return ['-keyout', `${name}.key`, '-out', `${name}.${ending}`]
}

function openssl(folder: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' })
  if (status !== 0) throw new Error(`openssl ${args[0]}: ${error?.message ?? stderr}`)
}
