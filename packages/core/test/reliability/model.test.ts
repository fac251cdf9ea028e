/**
 * Programs of random commands, each run against the real client and held against a plain model: a list of what was sent
 * to the token endpoint and what came of it.
 */
import { type OAuth2HttpClient, type RefreshPolicy, SessionRecord } from "@effect-oauth2/core"
import { CurrentSession } from "@effect-oauth2/core/OAuth2Session"
import { Fault, type ServerOptions, type ServerReply, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import * as PlatformClient from "@effect/platform/HttpClient"
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Context, Duration, Effect, Exit, FastCheck, Fiber, Layer, Option, Scope } from "effect"
import { runs } from "../fuzz.js"
import { assertIntact, Client, clientLayer, hour, HttpClient, minute, second, Server, textOf } from "./house.js"
import * as Simulation from "./Simulation.js"
import * as WatchedStore from "./WatchedStore.js"

// ---- what can be done

type Command =
  | { readonly _tag: "call" | "spawn"; readonly callers: number }
  | { readonly _tag: "interrupt"; readonly after: number }
  | { readonly _tag: "advance"; readonly millis: number }
  | { readonly _tag: "fault"; readonly name: string }
  | { readonly _tag: "refresh" | "rebuild" | "expire" | "revoke" | "signOut" | "restore" }

/** What a client can make of a fault: the server did nothing; nobody knows; it refused; its successor can be read. */
type Kind = "retryable" | "ambiguous" | "refusal" | "successor"

const faults: Readonly<Record<string, readonly [Kind, Fault.Fault]>> = {
  "connection refused": ["retryable", Fault.connectionRefused],
  "503 with Retry-After": ["retryable", Fault.status(503, { retryAfter: "20" })],
  "429": ["retryable", Fault.status(429)],
  "invalid_client": ["retryable", Fault.status(401, { error: "invalid_client" })],
  "reset": ["ambiguous", Fault.reset],
  "reset after": ["ambiguous", Fault.afterActing(Fault.reset)],
  "hang": ["ambiguous", Fault.hang],
  "hang after": ["ambiguous", Fault.afterActing(Fault.hang)],
  "502": ["ambiguous", Fault.status(502)],
  "504 after": ["ambiguous", Fault.afterActing(Fault.status(504))],
  "page": ["ambiguous", Fault.afterActing(Fault.html)],
  "half": ["ambiguous", Fault.truncated(20)],
  "broken": ["ambiguous", Fault.brokenBody()],
  "another type": ["successor", Fault.editMembers((members) => ({ ...members, token_type: "mac" }))],
  "invalid_grant": ["refusal", Fault.status(400, { error: "invalid_grant" })]
}

interface Mode {
  readonly policy: RefreshPolicy.Rotation
  readonly server: ServerOptions.Rotation
  readonly kinds: ReadonlyArray<Kind>
}

const modes: Readonly<Record<string, Mode>> = {
  "a strict server, faults that say what happened": {
    policy: "strict",
    server: "strict",
    kinds: ["retryable", "successor"]
  },
  "a strict server, all faults": {
    policy: "strict",
    server: "strict",
    kinds: ["retryable", "ambiguous", "successor", "refusal"]
  },
  "a server with a grace, faults that lose answers": {
    policy: "grace",
    server: { grace: "3650 days" },
    kinds: ["retryable", "ambiguous"]
  },
  "a server that does not rotate, faults that lose answers": {
    policy: "none",
    server: "none",
    kinds: ["retryable", "ambiguous"]
  }
}

const commandsOf = ({ kinds }: Mode): FastCheck.Arbitrary<ReadonlyArray<Command>> => {
  const names = Object.keys(faults).filter((name) => kinds.includes(faults[name]![0]))
  const callers = FastCheck.integer({ min: 1, max: 4 })
  const alone = (_tag: "refresh" | "rebuild" | "expire" | "revoke" | "signOut" | "restore") =>
    FastCheck.constant<Command>({ _tag })
  const command: FastCheck.Arbitrary<Command> = FastCheck.oneof(
    { weight: 6, arbitrary: callers.map((callers) => ({ _tag: "call", callers }) as const) },
    { weight: 3, arbitrary: callers.map((callers) => ({ _tag: "spawn", callers }) as const) },
    {
      weight: 3,
      arbitrary: FastCheck.integer({ min: 0, max: 100 }).map((after) => ({ _tag: "interrupt", after }) as const)
    },
    {
      weight: 7,
      arbitrary: FastCheck.constantFrom(10, 40, 3 * second, 9 * second, minute, 50 * minute, 58 * minute, 2 * hour)
        .map((millis) => ({ _tag: "advance", millis }) as const)
    },
    { weight: 5, arbitrary: FastCheck.constantFrom(...names).map((name) => ({ _tag: "fault", name }) as const) },
    { weight: 3, arbitrary: alone("refresh") },
    { weight: 2, arbitrary: alone("rebuild") },
    { weight: 1, arbitrary: alone("expire") },
    { weight: 2, arbitrary: alone("revoke") },
    { weight: 1, arbitrary: alone("signOut") },
    { weight: 2, arbitrary: alone("restore") }
  )
  return FastCheck.array(command, { minLength: 5, maxLength: 30, size: "max" })
}

// ---- the model

/** One token request: what was presented, what happened to it, and what the server gave for it. */
interface Presentation {
  readonly refreshToken: string
  /** The fault that it met, if any. */
  readonly kind: Kind | undefined
  issued: { readonly accessToken: string; readonly refreshToken: string | undefined } | undefined
  refused: boolean
  ended: boolean
}

class Model {
  /** The faults that the next token requests meet. */
  readonly faults: Array<string> = []
  readonly presentations: Array<Presentation> = []
  /** Whether a session was restored, and not signed out since. */
  held = false
  /** The refresh tokens of the session: the one that was restored, and those that came of it. */
  line = new Set<string>()
  /** Access tokens that the resource refuses. */
  readonly spoilt = new Set<string>()
  generation = 0
  /** What was sent and should not have been. */
  readonly wrong: Array<string> = []

  restored(refreshToken: string): void {
    this.held = true
    this.line = new Set([refreshToken])
  }

  signedOut(): void {
    this.held = false
    this.line = new Set()
    this.generation = 0
  }

  get inFlight(): number {
    return this.presentations.filter(({ ended }) => !ended).length
  }

  presentationsOf(refreshToken: string): ReadonlyArray<Presentation> {
    return this.presentations.filter((one) => one.refreshToken === refreshToken)
  }

  /** Of the session as it is: what was refused for good. */
  get refusal(): Presentation | undefined {
    return this.presentations.find(({ refreshToken, refused }) => refused && this.line.has(refreshToken))
  }

  /** Of the session as it is: what became of the last token request. */
  get last(): Presentation | undefined {
    return this.presentations.findLast(({ refreshToken }) => this.line.has(refreshToken))
  }

  /** Whether the last token request went wrong: an attempt may fail, or have to wait. */
  get isTroubled(): boolean {
    return this.presentations.at(-1)?.kind !== undefined
  }

  isAmbiguous(refreshToken: string): boolean {
    return this.presentationsOf(refreshToken).some(({ kind }) => kind === "ambiguous")
  }
}

/** The way to the server, which takes its time. Each token request is written down and judged before it is sent. */
const transport = (model: Model, { policy }: Mode, { random }: Simulation.World) =>
  Effect.gen(function*() {
    const [server, store] = yield* Effect.all([Server, WatchedStore.WatchedStore])
    const latency = Effect.suspend(() => Effect.sleep(Math.floor(random() * 30)))

    /** Nobody might hear of a failed assertion here, so it is written down. */
    const judge = (refreshToken: string, serves: boolean) => {
      const before = model.presentationsOf(refreshToken)
      const wrongs = {
        "two token requests at a time": model.inFlight > 0,
        "what was refused is presented again": before.some(({ refused }) => refused),
        "what was answered is presented again": policy !== "none" && before.some(({ kind }) => kind === undefined),
        "a strict server is asked again while the token serves": policy === "strict" && serves &&
          model.line.has(refreshToken) && model.isAmbiguous(refreshToken)
      }
      for (const [what, isWrong] of Object.entries(wrongs)) if (isWrong) model.wrong.push(what)
    }

    /** Whether a resource still takes the access token that is stored, and the client has not heard otherwise. */
    const tokenServes = Effect.gen(function*() {
      const token = (yield* store.stored())?.token
      if (token === undefined || model.spoilt.has(textOf(token.accessToken)!)) return false
      const { revoked } = yield* server.family(token.accessToken)
      return revoked === undefined && (yield* Clock.currentTimeMillis) <= (token.expiresAt ?? -1)
    })

    const watched = (presentation: Presentation, fault: Fault.Fault | undefined) =>
      Fault.make("script", (act) => {
        const known = Effect.tap(act, (reply) => Effect.sync(() => note(model, presentation, reply)))
        const met = fault === undefined ? known : fault.apply(known)
        return Effect.tap(met, (reply) =>
          Effect.sync(() => {
            presentation.refused = reply.status === 400 && presentation.kind !== "ambiguous"
          }))
      })

    return PlatformClient.transform(server.httpClient, (send, request) => {
      const form = formOf(request)
      if (form.get("grant_type") === null) return Effect.zipRight(latency, Effect.zipLeft(send, latency))
      return Effect.gen(function*() {
        const refreshToken = form.get("refresh_token") ?? ""
        judge(refreshToken, yield* tokenServes)
        const [kind, fault] = faults[model.faults.shift() ?? ""] ?? []
        const presentation: Presentation = { refreshToken, kind, issued: undefined, refused: false, ended: false }
        model.presentations.push(presentation)
        yield* server.inject("token", watched(presentation, fault))
        return yield* Effect.zipRight(latency, Effect.zipLeft(send, latency)).pipe(
          Effect.ensuring(Effect.sync(() => {
            presentation.ended = true
          }))
        )
      })
    })
  })

const formOf = ({ body }: HttpClientRequest): URLSearchParams =>
  new URLSearchParams(body._tag === "Uint8Array" ? new TextDecoder().decode(body.body) : "")

/** What the server itself answers, whatever becomes of it on the way. */
const note = (model: Model, presentation: Presentation, { body, status }: ServerReply.ServerReply): void => {
  if (status !== 200 || typeof body !== "string") return
  const members = JSON.parse(body) as { readonly access_token: string; readonly refresh_token?: string }
  const refreshToken = members.refresh_token ?? presentation.refreshToken
  presentation.issued = { accessToken: members.access_token, refreshToken }
  if (model.line.has(presentation.refreshToken)) model.line.add(refreshToken)
}

// ---- what may come of a command

type Failure = OAuth2HttpClient.Failure

/** Whether a failure is what the model allows, now that the command is over. */
const judgeFailure = (model: Model, error: Failure): void => {
  if (error._tag === "RefreshFailed") {
    return assert.isTrue(model.held && model.isTroubled, `no reason for RefreshFailed, ${error.reason}`)
  }
  if (error._tag !== "ReauthorizationRequired") return assert.fail(`${error._tag} is not to be expected`)
  if (error.reason === "NoSession") return assert.isFalse(model.held, "a session that is held is found")
  const { refusal } = model
  assert.isDefined(refusal, "nobody is signed out but by the server")
  const reason = model.isAmbiguous(refusal.refreshToken) ? "RotationOutcomeUnknown" : "InvalidGrant"
  assert.strictEqual(error.reason, reason)
}

const failureOf = <A, E>(exit: Exit.Exit<A, E>): E | undefined =>
  Exit.match(exit, {
    onSuccess: () => undefined,
    onFailure: (cause) =>
      Option.getOrElse(Cause.failureOption(cause), (): never => assert.fail(`neither: ${Cause.pretty(cause)}`))
  })

// ---- the program

const url = "https://api.test/things"

const program = (mode: Mode, commands: ReadonlyArray<Command>) => (world: Simulation.World) =>
  Effect.gen(function*() {
    const [server, store] = yield* Effect.all([Server, WatchedStore.WatchedStore])
    const model = new Model()
    const http = Layer.succeed(PlatformClient.HttpClient, yield* transport(model, mode, world))
    const house = clientLayer({ refreshPolicy: { rotation: mode.policy } }).pipe(Layer.provide(http))
    const open = Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Effect.orDie(Layer.buildWithScope(house, scope))
      const client = Context.get(context, Client)
      const session = client.session()
      const get = Effect.provideService(Context.get(context, HttpClient).get(url), CurrentSession, session)
      return { client, get, scope, session }
    })
    let opened = yield* open
    const spawned: Array<Fiber.Fiber<unknown, Failure>> = []

    /** Whether the token that is stored will do for the next second. */
    const isValid = Effect.gen(function*() {
      const token = (yield* store.stored())?.token
      if (token === undefined || model.spoilt.has(textOf(token.accessToken)!)) return false
      const { revoked } = yield* server.family(token.accessToken)
      return revoked === undefined && (yield* Clock.currentTimeMillis) + second < (token.expiresAt ?? Infinity)
    })

    const call = (callers: number) =>
      Effect.gen(function*() {
        const wasValid = yield* isValid
        const requests = model.presentations.length
        const [took, exits] = yield* Effect.all(Array.from({ length: callers }, () => Effect.exit(opened.get)), {
          concurrency: "unbounded"
        }).pipe(Effect.timed)
        const mustServe = wasValid && (yield* isValid)
        if (mustServe) assert.isBelow(Duration.toMillis(took), 2 * 30, "a valid token is served at once")
        for (const exit of exits) {
          const failure = failureOf(exit)
          if (failure !== undefined) judgeFailure(model, failure)
          const status = Exit.isSuccess(exit) ? exit.value.status : failure?._tag
          if (mustServe) assert.strictEqual(status, 200, "a valid token is never withheld")
          if (Exit.isSuccess(exit) && status !== 200) {
            assert.strictEqual(status, 401)
            assert.isTrue(model.spoilt.size > 0 || model.refusal !== undefined, "no reason for a 401")
          }
        }
        if (!model.held) assert.strictEqual(model.presentations.length, requests, "nothing is sent for nobody")
        return exits.every((exit) => Exit.isSuccess(exit) && exit.value.status === 200)
      })

    const run = (command: Command) =>
      Effect.gen(function*() {
        switch (command._tag) {
          case "call":
            return yield* Effect.asVoid(call(command.callers))
          case "spawn":
            for (let caller = 0; caller < command.callers; caller++) spawned.push(yield* Effect.fork(opened.get))
            return
          case "interrupt": {
            const fiber = yield* Effect.fork(opened.get)
            yield* Effect.sleep(command.after)
            return yield* Effect.asVoid(Fiber.interrupt(fiber))
          }
          case "advance":
            return yield* Effect.sleep(command.millis)
          case "fault":
            return void model.faults.push(command.name)
          case "refresh": {
            const failure = failureOf(yield* Effect.exit(opened.session.refresh))
            return failure === undefined ? undefined : judgeFailure(model, failure)
          }
          case "rebuild":
            yield* Scope.close(opened.scope, Exit.void)
            assert.strictEqual(model.inFlight, 0, "the end waits for what is in the air")
            opened = yield* open
            return
          case "expire": {
            yield* server.expireAccessTokens
            for (const { accessToken } of yield* server.families) model.spoilt.add(textOf(accessToken)!)
            const token = (yield* store.stored())?.token
            if (token !== undefined) model.spoilt.add(textOf(token.accessToken)!)
            return
          }
          case "revoke": {
            const token = (yield* store.stored())?.token
            if (token === undefined) return
            model.spoilt.add(textOf(token.accessToken)!)
            return yield* server.revokeToken(token.accessToken)
          }
          case "signOut": {
            const { revocation } = yield* Effect.orDie(opened.session.signOut)
            assert.include(["Revoked", "NothingHeld"], revocation)
            assert.strictEqual(revocation === "NothingHeld", !model.held)
            assert.strictEqual(model.inFlight, 0, "a sign-out waits for what is in the air")
            assert.isUndefined(yield* store.stored())
            return model.signedOut()
          }
          case "restore": {
            const token = yield* server.issue()
            yield* Effect.orDie(opened.client.restore(token))
            return model.restored(textOf(token.refreshToken)!)
          }
        }
      })

    /** What holds whenever nothing is in the air. */
    const assertSound = Effect.gen(function*() {
      assert.deepStrictEqual(model.wrong, [])
      const { concurrentPresentations, reuses } = yield* server.counts
      assert.isAtMost(concurrentPresentations, 1)
      const isInDoubt = model.presentations.some(({ kind }) => kind === "ambiguous")
      if (!isInDoubt && mode.policy !== "none") assert.strictEqual(reuses, 0, "no refresh token is used twice")
      const record = yield* store.stored()
      assert.strictEqual(record !== undefined, model.held, "a session is there until the sign-out")
      if (record === undefined) return
      assert.isAtLeast(record.generation, model.generation, "the generation only grows")
      model.generation = record.generation
      if (record.state._tag === "Dead") assert.isDefined(model.refusal, "only the server ends a session")
      const { issued, kind } = model.last ?? {}
      if (model.inFlight > 0 || issued === undefined || (kind !== undefined && kind !== "successor")) return
      assert.strictEqual(textOf(SessionRecord.refreshToken(record)), issued.refreshToken, "what was issued is stored")
      if (kind === undefined) assert.strictEqual(textOf(record.token?.accessToken), issued.accessToken)
    })

    yield* run({ _tag: "restore" })
    for (const command of commands) {
      yield* run(command)
      yield* assertSound
    }

    // In the end all is well again, except for what the server has ended.
    model.faults.length = 0
    yield* Effect.sleep(3 * hour)
    for (const fiber of spawned) {
      const failure = failureOf(yield* Fiber.await(fiber))
      if (failure !== undefined) assert.include(["ReauthorizationRequired", "RefreshFailed"], failure._tag)
    }
    const isAuthorized = yield* call(2)
    yield* assertSound
    const isOver = !model.held || model.refusal !== undefined
    assert.strictEqual(isAuthorized, !isOver, "who was not signed out is served")
    if (model.refusal !== undefined) {
      const wasLost = mode.policy === "strict" && model.isAmbiguous(model.refusal.refreshToken)
      assert.isTrue(wasLost || mode.kinds.includes("refusal"), "no session is lost for nothing")
    }
    if (!isOver) {
      yield* assertIntact()
      yield* run({ _tag: "revoke" })
      assert.isTrue(yield* call(2), "what the resource refuses is replaced")
      yield* assertIntact()
    }
    yield* Scope.close(opened.scope, Exit.void)
    return model.presentations.length
  }).pipe(
    Effect.provide(Layer.effect(WatchedStore.WatchedStore, WatchedStore.make())),
    Effect.provide(TestAuthorizationServer.layer({ rotation: mode.server })),
    Effect.withTracerEnabled(false)
  )

describe("the client held against a model", () => {
  it.each(Object.keys(modes))(
    "R14 R28 R38 S60 S61 random programs never lose, repeat or withhold a token: %s",
    async (name) => {
      const mode = modes[name]!
      let requests = 0
      await FastCheck.assert(
        FastCheck.asyncProperty(commandsOf(mode), FastCheck.nat(), async (commands, seed) => {
          requests += await Simulation.run(seed, program(mode, commands), { yields: 0.02 })
        }),
        runs(60)
      )
      assert.isAbove(requests, 60)
    }
  )
})
