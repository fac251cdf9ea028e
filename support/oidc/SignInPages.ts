/**
 * The two pages that a user sees: who are you, and is this program allowed to act for you.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import { text } from "node:stream/consumers"
import type { Interaction, Provider } from "oidc-provider"

export const path = "/sign-in"

export interface User {
  readonly name: string
  readonly password: string
}

export const handle = async (
  provider: Provider,
  user: User,
  request: IncomingMessage,
  response: ServerResponse,
  onLogin: () => void
): Promise<void> => {
  const interaction = await provider.interactionDetails(request, response)
  if (request.method !== "POST") return show(response, 200, pageOf(interaction))
  const form = new URLSearchParams(await text(request))
  if (interaction.prompt.name === "consent") {
    const consent = { grantId: await consented(provider, interaction) }
    return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true })
  }
  if (form.get("name") !== user.name || form.get("password") !== user.password) {
    return show(response, 403, loginPage(interaction.uid, "That is not the name and password of this run."))
  }
  onLogin()
  const login = { accountId: user.name }
  return provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false })
}

const consented = async (provider: Provider, { grantId, params, prompt, session }: Interaction): Promise<string> => {
  const known = grantId === undefined ? undefined : await provider.Grant.find(grantId)
  const grant = known ?? new provider.Grant({ accountId: session?.accountId ?? "", clientId: params.client_id })
  grant.addOIDCScope((prompt.details.missingOIDCScope ?? []).join(" "))
  return grant.save()
}

const pageOf = (interaction: Interaction): string =>
  interaction.prompt.name === "consent"
    ? page(
      interaction.uid,
      "May this program act for you?",
      `<p>It asks for: ${escape(interaction.params.scope ?? "")}</p><button>Allow</button>`
    )
    : loginPage(interaction.uid, "")

const loginPage = (uid: string, problem: string): string =>
  page(
    uid,
    "Sign in",
    `<p>${problem}</p>
    <label>Name <input name="name" autocomplete="username" autofocus></label>
    <label>Password <input name="password" type="password" autocomplete="current-password"></label>
    <button>Sign in</button>`
  )

const page = (uid: string, title: string, fields: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>
  <style>body { font: 18px/1.6 system-ui; max-width: 24em; margin: 4em auto } label, button { display: block; margin: 1em 0 }</style>
  <h1>${title}</h1>
  <form method="post" action="${path}/${escape(uid)}">${fields}</form></html>`

const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

const show = (response: ServerResponse, status: number, html: string): void => {
  response.writeHead(status, { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" }).end(html)
}
