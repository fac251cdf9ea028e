/**
 * Profiles of providers that need what the standards advise against: form text for an answer, tokens in a URL or a form,
 * any type for Bearer. One constant each: a page bundles those that it names.
 *
 * @since 0.1.0
 */
import type { ComplianceHooks } from "./ComplianceHooks.js"
import * as LegacyFormResponse from "./LegacyFormResponse.js"
import * as LegacyTokenPlacement from "./LegacyTokenPlacement.js"
import * as ProviderProfile from "./ProviderProfile.js"
import type { TokenPlacement } from "./TokenPlacement.js"

/**
 * What a client of the provider is given: the hooks by `ComplianceHooks.layer`, the placement by the options of
 * `OAuth2Client.layerHttpClient`.
 *
 * @since 0.1.0
 * @category models
 */
export interface LegacyProfile {
  readonly hooks: ComplianceHooks
  readonly placement?: TokenPlacement | undefined
}

/**
 * Facebook before version 2.3 of its Graph API: form text under `text/plain`, the lifetime under `expires`, no type. The
 * JSON of today is left as it is.
 *
 * Source: Facebook Platform changelog, version 2.3, "Oauth Access Token Format",
 * https://developers.facebook.com/docs/graph-api/changelog/archive#v2_3
 *
 * @since 0.1.0
 * @category profiles
 */
export const facebook: LegacyProfile = {
  hooks: ProviderProfile.toHooks({
    mediaTypes: ["text/plain"],
    members: { expires_in: ["expires"] },
    tokenType: "Bearer"
  }, { legacy: [LegacyFormResponse.decoder] })
}

/**
 * Weibo: the token goes into the query, and its type is Bearer whatever the answer says.
 *
 * Source: Weibo Open Platform, "OAuth2/access_token" and "API", https://open.weibo.com/wiki/Oauth2/access_token
 *
 * @since 0.1.0
 * @category profiles
 */
export const weibo: LegacyProfile = {
  hooks: ProviderProfile.toHooks({ tokenType: "Bearer" }),
  placement: LegacyTokenPlacement.query()
}

/**
 * Douban: the token goes into the query, and its type is Bearer where the answer names none.
 *
 * Source: Douban API v2, "OAuth 2.0", https://developers.douban.com/wiki/?title=oauth2
 *
 * @since 0.1.0
 * @category profiles
 */
export const douban: LegacyProfile = {
  hooks: ProviderProfile.toHooks({ defaultTokenType: "Bearer" }),
  placement: LegacyTokenPlacement.query()
}

/**
 * Slack before its API took the header alone: the token is the parameter `token` as well, in the form of a request that
 * has one or could have one, otherwise in the query. One that the program has set is left.
 *
 * Source: Slack API, "Using the Slack Web API", https://docs.slack.dev/apis/web-api/
 *
 * @example
 * import * as LegacyProfiles from "@effect-oauth2/core/LegacyProfiles"
 * import { OAuth2Client } from "@effect-oauth2/core"
 *
 * export const Http = OAuth2Client.layerHttpClient({
 *   origins: ["https://slack.com"],
 *   placement: LegacyProfiles.slack.placement
 * })
 *
 * @since 0.1.0
 * @category profiles
 */
export const slack: LegacyProfile = {
  hooks: {},
  placement: LegacyTokenPlacement.besideHeader("token", { form: true })
}

/**
 * Instagram's first API: the token is `access_token` in the query as well. One that the program has set is left.
 *
 * Source: Instagram API, "Authentication", https://www.instagram.com/developer/authentication/
 *
 * @since 0.1.0
 * @category profiles
 */
export const instagram: LegacyProfile = {
  hooks: {},
  placement: LegacyTokenPlacement.besideHeader("access_token")
}
