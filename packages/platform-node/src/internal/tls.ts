/**
 * Certificates and keys, read and checked once, for every connection to come.
 */
import { ConfigurationError } from "@effect-oauth2/core/OAuth2Error"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto"
import * as NodeTls from "node:tls"

/**
 * Certificates or a key in PEM (RFC 7468), as text or as the bytes of a file.
 *
 * @since 0.1.0
 * @category models
 */
export type Pem = string | Uint8Array

/**
 * What the client shows of itself when a server asks (mutual TLS, RFC 8705).
 *
 * @since 0.1.0
 * @category models
 */
export interface ClientCertificate {
  /** The client's certificate, followed by the intermediate ones if there are any. */
  readonly cert: Pem
  readonly key: Redacted.Redacted<Pem>
  /** Of an encrypted key. */
  readonly passphrase?: Redacted.Redacted<string> | undefined
}

/** How connections are made: what is trusted, what is shown, and that certificates are checked. */
export interface Tls {
  readonly secureContext: NodeTls.SecureContext
  /** Said out loud, since an environment variable would otherwise have the word. */
  readonly rejectUnauthorized: true
}

interface Trust {
  readonly ca?: Pem | ReadonlyArray<Pem> | undefined
  readonly exclusiveCa?: boolean | undefined
}

export const make = (trust: Trust, shown?: ClientCertificate): Either.Either<Tls, ConfigurationError> =>
  Either.gen(function*() {
    const ca = yield* trusted(trust)
    const identity = shown === undefined ? {} : yield* shownBy(shown)
    const secureContext = yield* Either.try({
      try: () => NodeTls.createSecureContext({ minVersion: "TLSv1.2", ...(ca && { ca: [...ca] }), ...identity }),
      catch: () =>
        invalid("clientCertificate", "is refused by TLS. Use a key of 2048 bits of RSA or more, or of a curve")
    })
    return { secureContext, rejectUnauthorized: true as const }
  })

/** The authorities to trust, or `undefined` for those that Node trusts by itself. */
export const trusted = (
  { ca, exclusiveCa = false }: Trust
): Either.Either<ReadonlyArray<string> | undefined, ConfigurationError> => {
  if (ca === undefined) {
    return exclusiveCa
      ? Either.left(invalid("exclusiveCa", "leaves nobody to trust. Give the authorities in ca"))
      : Either.right(undefined)
  }
  const certificates = (isList(ca) ? ca : [ca]).map(certificatesOf)
  return certificates.length > 0 &&
      certificates.every((certificates) => certificates.length > 0 && certificates.every(isCertificate))
    ? Either.right([...(exclusiveCa ? [] : NodeTls.rootCertificates), ...certificates.flat()])
    : Either.left(invalid("ca", "is not all certificates in PEM. Give their text or bytes, not a path"))
}

const shownBy = (
  { cert, key, passphrase }: ClientCertificate
): Either.Either<NodeTls.SecureContextOptions, ConfigurationError> => {
  const [certificate] = certificatesOf(cert)
  if (certificate === undefined || !isCertificate(certificate)) {
    return Either.left(
      invalid("clientCertificate.cert", "is no certificate in PEM. Give its text or bytes, not a path")
    )
  }
  const secret = { key: text(Redacted.value(key)), passphrase: passphrase && Redacted.value(passphrase) }
  return Either.try({ try: () => privateKey(secret), catch: () => unreadableKey }).pipe(
    Either.filterOrLeft(
      (privateKey) => new X509Certificate(certificate).checkPrivateKey(privateKey),
      () => invalid("clientCertificate.key", "is not the key of this certificate")
    ),
    Either.map(() => ({
      cert: text(cert),
      key: secret.key,
      ...(secret.passphrase && { passphrase: secret.passphrase })
    }))
  )
}

const privateKey = ({ key, passphrase }: { key: string; passphrase: string | undefined }): KeyObject =>
  createPrivateKey(passphrase === undefined ? key : { key, passphrase })

const unreadableKey = new ConfigurationError({
  field: "clientCertificate.key",
  problem: "is no private key in PEM, or its passphrase is another. Give its text or bytes, not a path"
})

const invalid = (field: string, problem: string) => new ConfigurationError({ field, problem })

const isList = (input: Pem | ReadonlyArray<Pem>): input is ReadonlyArray<Pem> => Array.isArray(input)

const text = (pem: Pem): string => typeof pem === "string" ? pem : Buffer.from(pem).toString("latin1")

const certificatesOf = (pem: Pem): ReadonlyArray<string> =>
  text(pem).match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []

const isCertificate = (pem: string): boolean => Either.isRight(Either.try(() => new X509Certificate(pem)))
