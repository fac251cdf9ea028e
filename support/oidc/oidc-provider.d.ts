/** The part of oidc-provider 9 that is used here: the package comes without types. */
declare module "oidc-provider" {
  import type { IncomingMessage, ServerResponse } from "node:http"

  export interface Model {
    readonly jti: string
    readonly grantId: string
    readonly accountId: string
    destroy(): Promise<void>
  }

  export interface ModelClass<A> {
    find(value: string): Promise<A | undefined>
    revokeByGrantId(grantId: string): Promise<void>
  }

  export interface Grant {
    addOIDCScope(scope: string): void
    save(): Promise<string>
  }

  export interface Interaction {
    readonly uid: string
    readonly prompt: {
      readonly name: string
      readonly details: { readonly missingOIDCScope?: ReadonlyArray<string> }
    }
    readonly params: { readonly client_id: string; readonly scope?: string }
    readonly session?: { readonly accountId: string }
    readonly grantId?: string
  }

  export interface Context {
    readonly req: IncomingMessage
    readonly oidc: {
      readonly params?: { readonly grant_type?: string; readonly scope?: string }
      readonly client?: { readonly clientId: string }
      readonly session?: { readonly accountId?: string }
      readonly provider: Provider
    }
  }

  /** When the user has to be asked: a list of prompts, each with the checks that call for it. */
  export namespace interactionPolicy {
    function base(): { get(prompt: string): { readonly checks: { remove(reason: string): void } } | undefined }
  }

  export class Provider {
    constructor(issuer: string, configuration: Record<string, unknown>)
    readonly AccessToken: ModelClass<Model>
    readonly RefreshToken: ModelClass<Model>
    readonly Grant:
      & Pick<ModelClass<Grant>, "find">
      & (new(properties: { accountId: string; clientId: string }) => Grant)
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>
    interactionFinished(
      request: IncomingMessage,
      response: ServerResponse,
      result: Record<string, unknown>,
      options?: { mergeWithLastSubmission?: boolean }
    ): Promise<void>
    on(
      event: "access_token.saved" | "refresh_token.saved" | "authorization_code.saved",
      listener: (model: Model) => void
    ): this
    on(event: "grant.success" | "grant.error" | "grant.revoked", listener: (context: Context) => void): this
    on(event: "server_error", listener: (context: Context, error: unknown) => void): this
  }
}
