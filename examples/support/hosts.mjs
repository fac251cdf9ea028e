/**
 * Loaded before an example that is run as a test: connections to `*.example.com:443` go to the test's own server, as a
 * line in the hosts file would make them. Names, TLS and certificates stay as they are.
 */
import net from "node:net"
import tls from "node:tls"

const port = Number(process.env.EXAMPLE_SERVER_PORT)

const redirected = (connect) => (options, ...rest) => {
  const isExample = typeof options === "object" && /\.example\.com$/.test(options.host ?? "") &&
    Number(options.port ?? 443) === 443
  return connect(
    isExample ? { ...options, host: "127.0.0.1", port, servername: options.servername ?? options.host } : options,
    ...rest
  )
}

tls.connect = redirected(tls.connect)
net.connect = redirected(net.connect)
