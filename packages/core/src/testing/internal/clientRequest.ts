import * as Either from "effect/Either"
import * as Parameters from "../../Parameters.js"
import { empty, type ServerRequest } from "../ServerReply.js"
import { type Answer, oauthError } from "./answer.js"
import { authenticate } from "./clientAuthentication.js"
import * as Form from "./form.js"
import type { Client, State } from "./state.js"

/** What holds for every request of a client: POST, a form, nothing repeated, nothing secret in the URL. */
export const checkForm = (
  state: State,
  request: ServerRequest,
  params: URLSearchParams
): Either.Either<Client, Answer> => {
  if (request.method !== "POST") return Either.left(empty(405, { allow: "POST" }))
  if (!Form.isForm(request)) return Either.left(oauthError("invalid_request", "The body is no form"))
  const repeated = Parameters.repeated(withoutLists(params))
  if (repeated !== undefined) return Either.left(oauthError("invalid_request", `${repeated} is repeated`))
  const inQuery = [...request.url.searchParams.keys()].find((name) => bodyOnly.has(name))
  if (inQuery !== undefined) return Either.left(oauthError("invalid_request", `${inQuery} is in the URL`))
  return authenticate(state, request.headers["authorization"], params)
}

const bodyOnly = new Set([
  "grant_type",
  "client_secret",
  "client_assertion",
  "code",
  "code_verifier",
  "refresh_token",
  "device_code",
  "token",
  "password",
  "assertion"
])

/** RFC 8707 §2 and RFC 8693 §2.1 let these be repeated. */
const withoutLists = (params: URLSearchParams): URLSearchParams =>
  new URLSearchParams([...params].filter(([name]) => name !== "resource" && name !== "audience"))
