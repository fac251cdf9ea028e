/**
 * A throw-away certificate authority, and certificates of it: for tests, examples and the demo.
 */
import "reflect-metadata"
import * as x509 from "@peculiar/x509"

x509.cryptoProvider.set(crypto)

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }

export interface Identity {
  /** PEM. */
  readonly cert: string
  /** PEM. */
  readonly key: string
}

export interface Authority {
  /** The authority's own certificate, in PEM. */
  readonly ca: string
  /** Its own key, in PEM. */
  readonly key: string
  /** A certificate for these host names and addresses; with none, for a client. */
  readonly issue: (subject: string, hosts?: ReadonlyArray<string>) => Promise<Identity>
}

export const makeAuthority = async (name = "Throw-away CA"): Promise<Authority> => {
  const authority = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys: authority,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature, true)
    ]
  })
  return {
    ca: ca.toString("pem"),
    key: await pemOf(authority),
    issue: async (subject, hosts = []) => {
      const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])
      const cert = await x509.X509CertificateGenerator.create({
        subject: `CN=${subject}`,
        issuer: ca.subject,
        publicKey: keys.publicKey,
        signingKey: authority.privateKey,
        signingAlgorithm: algorithm,
        extensions: hosts.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(hosts.map(hostName))]
      })
      return { cert: cert.toString("pem"), key: await pemOf(keys) }
    }
  }
}

const pemOf = async ({ privateKey }: CryptoKeyPair): Promise<string> =>
  x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", privateKey), "PRIVATE KEY")

const hostName = (value: string) =>
  /^[\d.]+$|:/.test(value) ? { type: "ip" as const, value } : { type: "dns" as const, value }
