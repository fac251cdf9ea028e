/**
 * Code that only tells errors apart, as the other side of an RPC does.
 */
import { OAuth2Error } from "@effect-oauth2/core/OAuth2Error"
import * as Schema from "effect/Schema"

export const isOAuth2Error = Schema.is(OAuth2Error)
