/**
 * A certificate authority that lives as long as the process, and one certificate of it for this machine's loopback
 * names. Nothing is written to disk.
 */
import "./ReflectMetadata.js"
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator
} from "@peculiar/x509"
import { randomBytes, webcrypto } from "node:crypto"

/** All in PEM. */
export interface Certificates {
  readonly authority: string
  readonly certificate: string
  readonly privateKey: string
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }

export const make = async (): Promise<Certificates> => {
  const notBefore = new Date(Date.now() - 60_000)
  const notAfter = new Date(Date.now() + 86_400_000)
  const authorityKeys = await keyPair()
  const authority = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: "CN=effect-oauth2 demo CA",
    notBefore,
    notAfter,
    keys: authorityKeys,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      await SubjectKeyIdentifierExtension.create(authorityKeys.publicKey)
    ]
  })
  const keys = await keyPair()
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: "CN=localhost",
    issuer: authority.subject,
    notBefore,
    notAfter,
    publicKey: keys.publicKey,
    signingKey: authorityKeys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new SubjectAlternativeNameExtension([{ type: "dns", value: "localhost" }, { type: "ip", value: "127.0.0.1" }]),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      await AuthorityKeyIdentifierExtension.create(authorityKeys.publicKey)
    ]
  })
  return {
    authority: authority.toString("pem"),
    certificate: certificate.toString("pem"),
    privateKey: await privateKeyPem(keys.privateKey)
  }
}

const keyPair = (): Promise<CryptoKeyPair> => webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])

/** Positive: the highest bit is not set. */
const serialNumber = (): string => `01${randomBytes(15).toString("hex")}`

const privateKeyPem = async (key: CryptoKey): Promise<string> => {
  const bytes = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key)).toString("base64")
  return `-----BEGIN PRIVATE KEY-----\n${bytes}\n-----END PRIVATE KEY-----\n`
}
