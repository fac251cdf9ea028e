/** A certificate authority made for one test run, and what it signs: X.509 (RFC 5280) in DER, by hand. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto"

export interface Identity {
  readonly cert: string
  readonly key: string
  readonly privateKey: KeyObject
}

export interface Authority extends Identity {
  /** Signs a certificate for these host names and addresses, or for a client where there are none. */
  readonly issue: (subject: string, hosts?: ReadonlyArray<string>) => Identity
}

export const makeAuthority = (name: string): Authority => {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const authority = certificate({
    issuer: name,
    subject: name,
    publicKey: keys.publicKey,
    signer: keys.privateKey,
    extensions: [isAuthority]
  })
  return {
    ...identity(authority, keys.privateKey),
    issue: (subject, hosts = []) => {
      const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
      const extensions = hosts.length === 0 ? [] : [names(hosts)]
      return identity(
        certificate({ issuer: name, subject, publicKey, signer: keys.privateKey, extensions }),
        privateKey
      )
    }
  }
}

const identity = (certificate: Buffer, privateKey: KeyObject): Identity => ({
  cert: `-----BEGIN CERTIFICATE-----\n${certificate.toString("base64")}\n-----END CERTIFICATE-----\n`,
  key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  privateKey
})

const certificate = (options: {
  readonly issuer: string
  readonly subject: string
  readonly publicKey: KeyObject
  readonly signer: KeyObject
  readonly extensions: ReadonlyArray<Buffer>
}): Buffer => {
  const { extensions, issuer, publicKey, signer, subject } = options
  const content = sequence(
    node(0xa0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ecdsaWithSha256,
    distinguishedName(issuer),
    sequence(node(0x17, "200101000000Z"), node(0x17, "491231235959Z")),
    distinguishedName(subject),
    publicKey.export({ type: "spki", format: "der" }),
    ...(extensions.length === 0 ? [] : [node(0xa3, sequence(...extensions))])
  )
  return sequence(content, ecdsaWithSha256, node(0x03, Buffer.of(0), sign("sha256", content, signer)))
}

const node = (tag: number, ...parts: ReadonlyArray<Buffer | string>): Buffer => {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)))
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...size), content])
}

const sequence = (...parts: ReadonlyArray<Buffer>): Buffer => node(0x30, ...parts)

const integer = (bytes: Buffer): Buffer => node(0x02, bytes)

const objectId = (...bytes: ReadonlyArray<number>): Buffer => node(0x06, Buffer.from(bytes))

/** 1.2.840.10045.4.3.2 */
const ecdsaWithSha256 = sequence(objectId(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02))

/** One common name, 2.5.4.3. */
const distinguishedName = (name: string): Buffer =>
  sequence(node(0x31, sequence(objectId(0x55, 0x04, 0x03), node(0x0c, name))))

/** Basic constraints, 2.5.29.19. */
const isAuthority = sequence(
  objectId(0x55, 0x1d, 0x13),
  node(0x01, Buffer.of(0xff)),
  node(0x04, sequence(node(0x01, Buffer.of(0xff))))
)

/** Subject alternative names, 2.5.29.17: IPv4 addresses as such, everything else as a DNS name. */
const names = (hosts: ReadonlyArray<string>): Buffer =>
  sequence(
    objectId(0x55, 0x1d, 0x11),
    node(
      0x04,
      sequence(...hosts.map((host) =>
        /^[\d.]+$/.test(host) ? node(0x87, Buffer.from(host.split(".").map(Number))) : node(0x82, host)
      ))
    )
  )
