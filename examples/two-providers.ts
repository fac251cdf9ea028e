/**
 * Two providers: a tag for each, so that neither layer can take the other's place in silence.
 */
import { ClientAuthentication, Custody, Grant, OAuth2Client } from "@effect-oauth2/core"
import { NodeTransport } from "@effect-oauth2/platform-node"
import { NodeRuntime } from "@effect/platform-node"
import { Config, Console, Effect, Layer } from "effect"

class Billing extends OAuth2Client.Tag<Billing>()("billing") {}
class Mail extends OAuth2Client.Tag<Mail>()("mail") {}

const secret = (name: string) =>
  Config.map(Config.redacted(name), (secret) => ClientAuthentication.clientSecretBasic(secret))

const BillingLive = Layer.mergeAll(
  Billing.layerSession(),
  Billing.layerHttpClient({ origins: ["https://billing.example.com"] })
).pipe(Layer.provide(OAuth2Client.layerConfigOf(Billing, {
  clientId: "billing-client",
  clientAuthentication: secret("BILLING_SECRET"),
  tokenEndpoint: "https://login.billing.example.com/token",
  grant: Grant.clientCredentials()
})))

const MailLive = Layer.mergeAll(
  Mail.layerSession(),
  Mail.layerHttpClient({ origins: ["https://mail.example.com"] })
).pipe(Layer.provide(OAuth2Client.layerConfigOf(Mail, {
  clientId: "mail-client",
  clientAuthentication: secret("MAIL_SECRET"),
  tokenEndpoint: "https://login.mail.example.com/token",
  grant: Grant.clientCredentials()
})))

/** One custody and one transport for both. */
const Live = Layer.mergeAll(BillingLive, MailLive).pipe(
  Layer.provide(Custody.layerMemory),
  Layer.provide(NodeTransport.layer())
)

const program = Effect.gen(function*() {
  const billing = yield* Billing.HttpClient
  const mail = yield* Mail.HttpClient
  const invoice = yield* billing.get("https://billing.example.com/invoices/1")
  yield* Console.log("billing", invoice.status)
  const sent = yield* mail.post("https://mail.example.com/messages")
  yield* Console.log("mail", sent.status)
  const strayed = yield* Effect.flip(mail.get("https://billing.example.com/invoices/1"))
  yield* Console.log("mail's token at billing:", strayed._tag)
})

program.pipe(Effect.provide(Live), NodeRuntime.runMain)
