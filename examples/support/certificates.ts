/**
 * A throw-away certificate authority, and a server certificate of it.
 */
import * as x509 from "@peculiar/x509"

x509.cryptoProvider.set(crypto)

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }

export interface Certificates {
  /** PEM. */
  readonly ca: string
  /** PEM. */
  readonly cert: string
  /** PEM. */
  readonly key: string
}

export const make = async (hosts: ReadonlyArray<string>): Promise<Certificates> => {
  const authority = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=Throw-away CA",
    keys: authority,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true)
    ]
  })
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])
  const cert = await x509.X509CertificateGenerator.create({
    subject: `CN=${hosts[0]}`,
    issuer: ca.subject,
    publicKey: keys.publicKey,
    signingKey: authority.privateKey,
    signingAlgorithm: algorithm,
    extensions: [new x509.SubjectAlternativeNameExtension(hosts.map((value) => ({ type: "dns" as const, value })))]
  })
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY")
  return { ca: ca.toString("pem"), cert: cert.toString("pem"), key }
}
