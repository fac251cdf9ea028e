/**
 * Profiles of providers, one constant each: a page bundles those that it names. Facebook, Weibo, Douban, Slack and
 * Instagram, which need what the standards advise against, are in `LegacyProfiles`.
 *
 * @since 0.1.0
 */
import type { ProviderProfile } from "./ProviderProfile.js"

/**
 * Fitbit: errors come as a list, each with an `errorType` and a `message`.
 *
 * Source: Fitbit Web API, "Error Handling", https://dev.fitbit.com/build/reference/web-api/troubleshooting-guide/error-messages/
 *
 * @example
 * import { ComplianceHooks, OAuth2Client, Profiles, ProviderProfile } from "@effect-oauth2/core"
 * import { Layer } from "effect"
 *
 * export const Client = OAuth2Client.layer({ clientId: "app", tokenEndpoint: "https://api.fitbit.com/oauth2/token" }).pipe(
 *   Layer.provide(ComplianceHooks.layer(ProviderProfile.toHooks(Profiles.fitbit)))
 * )
 *
 * @since 0.1.0
 * @category profiles
 */
export const fitbit: ProviderProfile = {
  error: [["errors", 0, "errorType"], ["errors", 0]],
  members: { error_description: ["errors", 0, "message"] }
}

/**
 * Mailchimp: a lifetime of 0, which is taken for an hour, so that the token is used at all; a scope of null.
 *
 * Source: Mailchimp Marketing API, "Access Data on Behalf of Other Users with OAuth 2",
 * https://mailchimp.com/developer/marketing/guides/access-user-data-oauth-2/
 *
 * @since 0.1.0
 * @category profiles
 */
export const mailchimp: ProviderProfile = { lifetimeOfZero: 3600 }

/**
 * Plentymarkets: the members of its answers are in camel case.
 *
 * Source: PlentyONE REST API, "Login", https://developers.plentymarkets.com/en-gb/plentymarkets-rest-api/index.html
 *
 * @since 0.1.0
 * @category profiles
 */
export const plentymarkets: ProviderProfile = { memberCase: "camelCase" }

/**
 * eBay: names of its own for the type of a token.
 *
 * Source: eBay APIs, "The client credentials grant flow" and "The authorization code grant flow",
 * https://developer.ebay.com/api-docs/static/oauth-client-credentials-grant.html
 *
 * @since 0.1.0
 * @category profiles
 */
export const ebay: ProviderProfile = { tokenTypeAliases: ["Application Access Token", "User Access Token"] }
