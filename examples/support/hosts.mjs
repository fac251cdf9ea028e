/**
 * Loaded before an example that is run as a test: connections to `*.example.com:443` go to the test's own servers, as
 * lines in the hosts file would make them. Names, TLS and certificates stay as they are.
 */
import net from "node:net"
import tls from "node:tls"

const ports = JSON.parse(process.env.EXAMPLE_SERVER_PORTS)

const redirected = (connect) => (options, ...rest) => {
  const port = typeof options === "object" && Number(options.port ?? 443) === 443 ? ports[options.host] : undefined
  return connect(
    port === undefined
      ? options
      : { ...options, host: "127.0.0.1", port, servername: options.servername ?? options.host },
    ...rest
  )
}

tls.connect = redirected(tls.connect)
net.connect = redirected(net.connect)
