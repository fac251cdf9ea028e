/** The whole of a client that pages use today, to be measured beside ours. */
export * from "@auth0/auth0-spa-js"
