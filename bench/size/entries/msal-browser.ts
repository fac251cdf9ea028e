/** The whole of a client that pages use today, to be measured beside ours. */
export * from "@azure/msal-browser"
