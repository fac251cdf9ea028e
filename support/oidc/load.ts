/** On Node 20, which it does not name as supported, oidc-provider works and says so: that warning is left out. */
export const load = async () => {
  const warn = console.warn
  console.warn = (...args: ReadonlyArray<unknown>) => {
    if (!String(args[0]).includes("oidc-provider WARNING: Unsupported runtime.")) warn(...args)
  }
  try {
    return await import("oidc-provider")
  } finally {
    console.warn = warn
  }
}
