/**
 * Token responses as form text, which some servers sent before RFC 6749 §5.1 asked for JSON.
 *
 * @since 0.1.0
 */
import type { Members, ReplyDecoder } from "./ProviderProfile.js"

/**
 * Reads form text for a profile. Of a repeated member the last counts, blank ones are absent, a plus is a space.
 * What is malformed is none of it, and is left to the rules for JSON.
 *
 * @example
 * import * as LegacyFormResponse from "@effect-oauth2/core/LegacyFormResponse"
 * import { ProviderProfile } from "@effect-oauth2/core"
 *
 * export const hooks = ProviderProfile.toHooks(
 *   { mediaTypes: ["application/x-www-form-urlencoded"], defaultTokenType: "Bearer" },
 *   { legacy: [LegacyFormResponse.decoder] }
 * )
 *
 * @since 0.1.0
 * @category decoders
 */
export const decoder: ReplyDecoder = {
  name: "formResponse",
  decode: (text): Members | undefined => {
    const form = text.trim()
    if (!wellFormed.test(form)) return undefined
    const members = Object.fromEntries([...new URLSearchParams(form)].filter(([, value]) => value !== ""))
    return Object.keys(members).length === 0 ? undefined : members
  }
}

/** A name, an equals sign, and nothing that forms encode; a space within is tolerated. */
const wellFormed = /^(?=[^=&]+=)(?:[\w.=&;:+~,*@!()/?'$ -]|%[\da-f]{2})+$/i
