/** A PostgreSQL of the tests' own, until they end. */
import type { TestProject } from "vitest/node"
import { type PostgresAddress, startPostgres } from "../../../../support/postgres.js"

declare module "vitest" {
  interface ProvidedContext {
    readonly postgres: PostgresAddress
  }
}

export default async (project: TestProject) => {
  const { stop, ...address } = await startPostgres({
    neededBy: "the tests of packages/sql need",
    password: "only-for-these-tests",
    settings: ["fsync=off"]
  })
  project.provide("postgres", address)
  return stop
}
