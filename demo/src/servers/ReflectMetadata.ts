/**
 * The three functions of the Reflect metadata proposal that the certificate library asks for. Import it before that.
 */
type Key = string | symbol

const metadata = new WeakMap<object, Map<Key, unknown>>()

const getMetadata = (key: Key, target: object): unknown => metadata.get(target)?.get(key)

const defineMetadata = (key: Key, value: unknown, target: object): void => {
  metadata.set(target, (metadata.get(target) ?? new Map<Key, unknown>()).set(key, value))
}

Object.assign(Reflect, { getMetadata, getOwnMetadata: getMetadata, defineMetadata })
