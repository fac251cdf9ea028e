/**
 * Authorization servers that differ from the standards' ones, made of the test kit's.
 */
import type { ServerReply, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { Effect } from "effect"
import { certifiedClient, type Served } from "./exampleServer.js"

type Server = TestAuthorizationServer.TestAuthorizationServerService

/** Clients prove themselves by certificate (RFC 8705 §2.1): whoever gets through is the client of that name. */
export const byCertificate = (server: Server, secret: string): Served => ({
  ...server,
  demandsCertificate: true,
  handle: (request) =>
    server.handle(withForm(request, (form) => {
      if (form.get("client_id") === certifiedClient) form.set("client_secret", secret)
    }))
})

/** `client_key` for `client_id`, commas in scopes, and tokens inside `data`, of no type, that live for minutes. */
export const quirky = (server: Server): Served => ({
  ...server,
  handle: (request) =>
    Effect.map(
      server.handle(withForm(request, (form) => {
        rename(form, "client_id", "client_id_of_the_standards")
        rename(form, "client_key", "client_id")
        form.set("scope", (form.get("scope") ?? "").replaceAll(",", " "))
      })),
      (reply) => request.url.pathname === "/token" && reply.status === 200 ? nested(reply) : reply
    )
})

const withForm = (
  request: ServerReply.ServerRequest,
  change: (form: URLSearchParams) => void
): ServerReply.ServerRequest => {
  if (request.url.pathname !== "/token") return request
  const form = new URLSearchParams(new TextDecoder().decode(request.body))
  change(form)
  return { ...request, body: new TextEncoder().encode(form.toString()) }
}

const rename = (form: URLSearchParams, from: string, to: string) => {
  const value = form.get(from)
  form.delete(from)
  if (value !== null) form.set(to, value)
}

const nested = (reply: ServerReply.ServerReply): ServerReply.ServerReply => {
  const { access_token, expires_in, scope } = JSON.parse(reply.body as string) as Record<string, string>
  const data = { access_token, expires_in: Number(expires_in) / 60, scope: scope?.replaceAll(" ", ",") }
  return { ...reply, body: JSON.stringify({ status: "ok", data }) }
}
